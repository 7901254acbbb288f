"""One's second factors: the authenticator app, the passkeys, the recovery codes."""

from typing import Any

import segno
from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required
from markupsafe import Markup
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from app import settings
from app.errors import Conflict
from app.models import User
from app.pages import account_fields, passkey_signals
from app.pages.forms import OTP_MAX, Form, stripped
from app.pages.pagination import listed
from app.services.access import page_sessions
from app.services.factors import factors, recovery_codes, totp
from app.services.shared.actor import Actor
from app.services.users import users
from app.web.current_user import page_user, renew_session

bp = Blueprint("factors", __name__)
GROUP = 4  # characters of a secret that is typed


class ProofForm(Form):
    """Who it is, once more, before the factors change. Without a password a recent sign-in is."""

    current_password = account_fields.current_password()

    def __init__(self, user: User) -> None:
        super().__init__()
        if not user.password_hash:
            del self.current_password

    def proof(self) -> str | None:
        proof: str | None = self.values().get("current_password")
        return proof


class ConfirmForm(Form):
    otp = StringField(
        "Code",
        [InputRequired("Enter the code."), Length(max=OTP_MAX)],
        filters=[stripped],
        description="The six digits that the app shows now.",
        render_kw={"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True},
    )


@bp.get("")
@login_required
def index() -> str:
    actor = page_user()
    found = listed(lambda **paging: factors.page(actor, **paging), "main.factors.index")
    return render_template(
        "main/settings/two_factor/index.html",
        found=found,
        has_app=totp.is_set_up(actor.id),
        left=recovery_codes.left(actor.id),
        signals=passkey_signals.of_account(actor.id, actor.username),
        missing=actor.missing_factor,
        confined=actor.confined,
    )


@bp.route("/totp", methods=["GET", "POST"])
@login_required
def begin_totp() -> ResponseReturnValue:
    """The answer that shows the secret: it goes through neither a URL nor a cookie."""
    actor = page_user()
    form = ProofForm(_account(actor))
    if form.validate_on_submit():
        with form.show_refusals():
            set_up = totp.begin(actor, form.proof())
            return _set_up_page(ConfirmForm(formdata=None), set_up)
    return proof_page(
        form,
        title="Set up an authenticator app",
        lead="With it, signing in takes your password and a code that your phone shows.",
        submit="Go on",
    )


@bp.post("/totp/confirm")
@login_required
def confirm_totp() -> ResponseReturnValue:
    actor = page_user()
    form = ConfirmForm()
    try:
        set_up = totp.pending(actor)
    except Conflict as error:
        flash(error.message, "error")
        return redirect(url_for(".begin_totp"), 303)
    if form.validate():
        with form.show_refusals():
            codes = totp.confirm(actor, form.values()["otp"])
            return added(actor, "The authenticator app is set up.", codes)
    return _set_up_page(form, set_up)


@bp.route("/recovery-codes", methods=["GET", "POST"])
@login_required
def renew_codes() -> ResponseReturnValue:
    actor = page_user()
    form = ProofForm(_account(actor))
    if form.validate_on_submit():
        with form.show_refusals():
            return codes_page(recovery_codes.renew(actor, form.proof()))
    return proof_page(
        form,
        title="Make new recovery codes",
        lead="Those that you have now are void from then on.",
        submit="Make new codes",
    )


@bp.route("/<id:factor_id>/remove", methods=["GET", "POST"])
@login_required
def remove(factor_id: str) -> ResponseReturnValue:
    actor = page_user()
    factor = factors.get(actor, factor_id)
    form = ProofForm(_account(actor))
    if form.validate_on_submit():
        with form.show_refusals():
            factors.remove(actor, factor_id, form.proof())
            flash(f"{factor.name} is removed.", "success")
            return redirect(url_for(".index"), 303)
    return proof_page(
        form,
        title=f"Remove {factor.name}",
        lead=_of_removal(actor),
        submit="Remove",
    )


def _of_removal(actor: Actor) -> str:
    """What follows from removing a factor."""
    if factors.number(actor.id) > 1:
        return "It will not sign you in any more. Your other factors and your recovery codes stay."
    return (
        f"It is your last second factor. Your {recovery_codes.left(actor.id)} recovery codes end"
        " with it, and the password alone signs you in."
    )


def added(actor: Actor, message: str, codes: list[str]) -> ResponseReturnValue:
    """After a factor was added the session bears another secret (ASVS 5.0, 7.2.4)."""
    renew_session(page_sessions.renew(actor))
    flash(f"{message} Your other sign-ins have ended.", "success")
    return codes_page(codes) if codes else redirect(url_for("main.factors.index"), 303)


def codes_page(codes: list[str]) -> str:
    """The one answer that shows them."""
    head = f"Recovery codes of {page_user().username} at {settings.current().public_url}"
    file = "\n".join((head, "Each signs you in once.", "", *codes, ""))
    return render_template("main/settings/two_factor/codes.html", codes=codes, file=file)


def _account(actor: Actor) -> User:
    return users.get(actor, actor.id)


def proof_page(form: ProofForm, **texts: str) -> ResponseReturnValue:
    """Asks who it is, and says for what: `title`, `lead`, `submit`."""
    page = render_template("main/settings/two_factor/proof.html", form=form, **texts)
    return page, form.http_status


def _set_up_page(form: ConfirmForm, set_up: totp.SetUp) -> ResponseReturnValue:
    secret = set_up.secret
    groups = [secret[start : start + GROUP] for start in range(0, len(secret), GROUP)]
    page = render_template(
        "main/settings/two_factor/totp.html", form=form, secret=groups, code=_qr_code(set_up.uri)
    )
    return page, form.http_status


def _qr_code(text: str) -> Markup:
    """As SVG with attributes only. Black on white in the dark too: some cameras need it so."""
    look: dict[str, Any] = {"scale": 4, "dark": "#000", "light": "#fff", "svgclass": "qr"}
    drawn = segno.make_qr(text, error="m").svg_inline(lineclass=None, **look)
    return Markup(drawn)  # noqa: S704 - of modules, and not of the text
