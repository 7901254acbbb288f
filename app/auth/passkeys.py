"""Sign-in with a passkey, alone or after the password, and reauthentication with a passkey."""

from collections.abc import Callable

from flask import Blueprint, flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required

from app.auth import pending
from app.auth.begin import begin
from app.auth.passkey_form import AGAIN, ALONE, SECOND, PasskeyForm
from app.auth.reauthenticate import proved
from app.errors import UnknownPasskey
from app.pages import passkey_challenges, passkey_signals
from app.pages.forms import REFUSALS
from app.pages.redirects import next_page
from app.services.factors import passkeys
from app.services.factors.webauthn_messages import Challenge
from app.web.current_user import origin, page_user

bp = Blueprint("passkeys", __name__)
TRY_AGAIN = "The page was open too long or was sent twice. Try again."


@bp.post("/passkey")
def alone() -> ResponseReturnValue:
    """Sign in by passkey alone: the device verifies the user, so no second factor is required."""

    def sign_in(credential: str, challenge: Challenge) -> ResponseReturnValue:
        user = passkeys.authenticate(origin(), credential, challenge)
        return begin(user, remember=False, with_factor=True)

    return _verify(ALONE, "auth.login", sign_in)


@bp.post("/two-factor/passkey")
def second() -> ResponseReturnValue:
    half = pending.get()
    if half is None:
        return redirect(url_for("auth.login", next=next_page("") or None), 303)

    def sign_in(credential: str, challenge: Challenge) -> ResponseReturnValue:
        passkeys.prove(origin(), half.user.id, credential, challenge, verified=False)
        return begin(half.user, remember=half.remember, with_factor=True)

    return _verify(SECOND, "auth.two_factor.show", sign_in)


@bp.post("/reauthenticate/passkey")
@login_required
def again() -> ResponseReturnValue:
    actor = page_user()

    def prove(credential: str, challenge: Challenge) -> ResponseReturnValue:
        passkeys.prove(actor, actor.id, credential, challenge, verified=True)
        return proved()

    return _verify(AGAIN, "auth.reauthenticate.show", prove)


def _verify(
    purpose: str, endpoint: str, use: Callable[[str, Challenge], ResponseReturnValue]
) -> ResponseReturnValue:
    """Return the response of `use`, or redirect to the page with the error message."""
    form, challenge = PasskeyForm(), passkey_challenges.take(purpose)
    why = TRY_AGAIN
    if form.validate() and challenge is not None:
        try:
            return use(form.values()["credential"], challenge)
        except REFUSALS as error:
            why = error.message
            if isinstance(error, UnknownPasskey):
                passkey_signals.note_unknown(form.values()["credential"])
    flash(why, "error")
    return redirect(url_for(endpoint, next=next_page("") or None), 303)
