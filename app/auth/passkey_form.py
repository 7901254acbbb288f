"""The form of a passkey, which app/static/passkey.js fills in and sends."""

from typing import Any

from wtforms import HiddenField
from wtforms.validators import InputRequired, Length

from app.pages import passkey_challenges, passkey_site
from app.pages.forms import CREDENTIAL_MAX, Form
from app.services.factors import passkeys, webauthn_messages

# Purposes of a challenge: sign-in by passkey alone, passkey after the password, and
# reauthentication. For the first and the last the device must verify the user.
ALONE, SECOND, AGAIN = "alone", "second", "again"


class PasskeyForm(Form):
    credential = HiddenField(
        "Passkey", [InputRequired("The browser sent no passkey."), Length(max=CREDENTIAL_MAX)]
    )


def options(purpose: str, user_id: str = "") -> dict[str, Any] | None:
    """Return the options for the browser; None if passkeys do not work or the user has none."""
    if not passkey_site.is_here():
        return None
    known = passkeys.known(user_id) if user_id else []
    if user_id and not known:
        return None
    return webauthn_messages.request(
        passkey_challenges.issue(purpose), known, verified=purpose != SECOND
    )
