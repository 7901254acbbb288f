"""Settings pages of second factors: authenticator app, passkeys and recovery codes."""

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
    """Asks for the password before a factor changes. A user without one needs a recent sign-in."""

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
        description="The current six digits of the app.",
        render_kw={"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True},
    )


@bp.get("")
@login_required
def index() -> str:
    actor = page_user()
    found = listed(lambda paging: factors.page(actor, paging), "main.factors.index")
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
    """Show the secret in this response only: it never enters a URL or a cookie."""
    actor = page_user()
    form = ProofForm(_account(actor))
    if form.validate_on_submit():
        with form.show_refusals():
            set_up = totp.begin(actor, form.proof())
            return _set_up_page(ConfirmForm(formdata=None), set_up)
    return proof_page(
        form,
        title="Set up an authenticator app",
        lead="Signing in then requires your password and a code from your phone.",
        submit="Continue",
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
        title="Create new recovery codes",
        lead="New codes invalidate all earlier recovery codes.",
        submit="Create new codes",
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
        lead=_removal_effect(actor),
        submit="Remove the factor",
    )


def _removal_effect(actor: Actor) -> str:
    """Return the text that explains the effect of removing a factor."""
    if factors.number(actor.id) > 1:
        return "Your other factors and your recovery codes stay valid."
    return (
        f"This is your last second factor. Your {recovery_codes.left(actor.id)} recovery codes are"
        " deleted too, and the password alone signs you in."
    )


def added(actor: Actor, message: str, codes: list[str]) -> ResponseReturnValue:
    """Renew the session's secret after a new factor (ASVS 5.0, 7.2.4); show the codes, if any."""
    renew_session(page_sessions.renew(actor))
    flash(f"{message} Your other sign-ins have ended.", "success")
    return codes_page(codes) if codes else redirect(url_for("main.factors.index"), 303)


def codes_page(codes: list[str]) -> str:
    """Return the page that shows the recovery codes, only in this response."""
    head = f"Recovery codes of {page_user().username} at {settings.current().public_url}"
    file = "\n".join((head, "Each signs you in once.", "", *codes, ""))
    return render_template("main/settings/two_factor/codes.html", codes=codes, file=file)


def _account(actor: Actor) -> User:
    return users.get(actor, actor.id)


def proof_page(form: ProofForm, **texts: str) -> ResponseReturnValue:
    """Return the page that asks for a proof of identity. `texts`: `title`, `lead`, `submit`."""
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
    """Return a QR code as SVG without styles: black on white in dark mode too, for cameras."""
    look: dict[str, Any] = {"scale": 4, "dark": "#000", "light": "#fff", "svgclass": "qr"}
    drawn = segno.make_qr(text, error="m").svg_inline(lineclass=None, **look)
    return Markup(drawn)  # noqa: S704 - of modules, and not of the text
