"""Signals: a page tells the browser which passkeys count, so that it offers no other
(WebAuthn Level 3, 5.1.10). Each is the name of a method of PublicKeyCredential and its options.
"""

import re
from typing import Any

from flask import session

from app.pages import passkey_site
from app.services.factors import passkeys
from app.services.factors.webauthn_messages import encoded, read, rp_id

_UNKNOWN = "unknown_passkey"
_ID = re.compile(r"[A-Za-z0-9_-]{1,512}")  # of a credential, as far as the cookie has room
Signal = tuple[str, dict[str, Any]]


def of_account(user_id: str, username: str) -> list[Signal]:
    """Which passkeys the account has, and what it is called: after a removal or a renaming."""
    if not passkey_site.is_here():
        return []
    account = {"rpId": rp_id(), "userId": encoded(user_id.encode())}
    return [
        (
            "signalAllAcceptedCredentials",
            {**account, "allAcceptedCredentialIds": passkeys.known(user_id)},
        ),
        ("signalCurrentUserDetails", {**account, "name": username, "displayName": username}),
    ]


def note_unknown(credential: str) -> None:
    """Keep the id of a passkey that no account has, for the next page."""
    name: str = read(credential)["id"]
    if _ID.fullmatch(name):
        session[_UNKNOWN] = name


def of_unknown() -> list[Signal]:
    """The passkey that was noted, once."""
    name = session.pop(_UNKNOWN, None)
    if name is None or not passkey_site.is_here():
        return []
    return [("signalUnknownCredential", {"rpId": rp_id(), "credentialId": name})]
