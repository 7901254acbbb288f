"""Pages to add a passkey: first the password, then the passkey of the browser."""

from datetime import timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required
from wtforms import HiddenField, StringField
from wtforms.validators import InputRequired, Length

from app.main.factors import ProofForm, added, proof_page
from app.models.factor import NAME_MAX
from app.pages import passkey_challenges
from app.pages.forms import CREDENTIAL_MAX, REFUSALS, Form, one_line, stripped
from app.pages.redirects import next_page
from app.services.authentication import authentication
from app.services.factors import passkeys
from app.services.shared.user_agents import device
from app.services.users import users
from app.web.current_user import page_user

bp = Blueprint("passkeys", __name__)
PURPOSE = "create"
PROOF_LIFE = timedelta(minutes=10)  # from the password to the passkey


class PasskeyForm(Form):
    name = StringField(
        "Name",
        [Length(max=NAME_MAX), one_line],
        filters=[stripped],
        description="Helps you recognize the passkey. Empty: the name of its device or manager.",
        render_kw={"autocomplete": "off"},
    )
    credential = HiddenField(
        "Passkey", [InputRequired("The browser sent no passkey."), Length(max=CREDENTIAL_MAX)]
    )


@bp.route("/new", methods=["GET", "POST"])
@login_required
def new() -> ResponseReturnValue:
    """Ask for the password, then issue a new challenge each time, to which the passkey is bound."""
    actor = page_user()
    form = ProofForm(users.get(actor, actor.id))
    if form.validate_on_submit():
        with form.show_refusals():
            user = authentication.again(actor, form.proof())
            return _page(
                passkeys.creation(user, passkey_challenges.issue(PURPOSE, kept_for=timedelta(0)))
            )
    return proof_page(
        form,
        title="Add a passkey",
        lead="Your fingerprint, face or screen lock then signs you in, without a password.",
        submit="Continue",
    )


@bp.post("")
@login_required
def create() -> ResponseReturnValue:
    actor = page_user()
    form, challenge = PasskeyForm(), passkey_challenges.take(PURPOSE, PROOF_LIFE)
    why = "The page was open too long or was sent twice. Try again."
    if form.validate() and challenge is not None:
        try:
            named = device(request.headers.get("User-Agent", ""))[:NAME_MAX]
            codes = passkeys.add(actor, **form.values(), challenge=challenge, default_name=named)
        except REFUSALS as error:
            why = error.message
        else:
            return added(actor, "The passkey is added.", codes)
    flash(why, "error")
    return redirect(url_for(".new"), 303)


@bp.post("/not-now")
@login_required
def decline() -> ResponseReturnValue:
    passkeys.decline(page_user())
    flash("You can add a passkey in the settings at any time.")
    return redirect(next_page(url_for("main.pages.index")), 303)


def _page(options: dict[str, Any]) -> str:
    form = PasskeyForm(formdata=None)
    return render_template("main/settings/two_factor/passkey.html", form=form, options=options)
