"""What a page that takes a passkey shows: a form that app/static/passkey.js fills in and sends."""

from typing import Any

from wtforms import HiddenField
from wtforms.validators import InputRequired, Length

from app.pages import passkey_challenges, passkey_site
from app.pages.forms import CREDENTIAL_MAX, Form
from app.services.factors import passkeys, webauthn_messages

# What a challenge is issued for: signing in by a passkey alone, by one after the password, and
# confirming with it who it is. In the first and the last the device checks who holds it.
ALONE, SECOND, AGAIN = "alone", "second", "again"


class PasskeyForm(Form):
    credential = HiddenField(
        "Passkey", [InputRequired("The browser sent no passkey."), Length(max=CREDENTIAL_MAX)]
    )


def options(purpose: str, user_id: str = "") -> dict[str, Any] | None:
    """What the browser is asked; None where passkeys do not work or the user has none."""
    if not passkey_site.is_here():
        return None
    known = passkeys.known(user_id) if user_id else []
    if user_id and not known:
        return None
    return webauthn_messages.request(
        passkey_challenges.issue(purpose), known, verified=purpose != SECOND
    )
