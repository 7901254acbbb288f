"""Signals by which a page informs the browser of valid passkeys, so that the browser offers no
others (WebAuthn Level 3, 5.1.10). A signal is a method name of PublicKeyCredential and options.
"""

import re
from typing import Any

from flask import session

from app.pages import passkey_site
from app.services.factors import passkeys
from app.services.factors.webauthn_messages import encoded, read, rp_id

_UNKNOWN = "unknown_passkey"
_ID = re.compile(r"[A-Za-z0-9_-]{1,512}")  # of a credential, short enough for the cookie
Signal = tuple[str, dict[str, Any]]


def of_account(user_id: str, username: str) -> list[Signal]:
    """Return the signals of the account's passkeys and username, which may have changed."""
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
    """Store the id of an unknown passkey for the next page."""
    name: str = read(credential)["id"]
    if _ID.fullmatch(name):
        session[_UNKNOWN] = name


def of_unknown() -> list[Signal]:
    """Return the signal of the stored unknown passkey, once."""
    name = session.pop(_UNKNOWN, None)
    if name is None or not passkey_site.is_here():
        return []
    return [("signalUnknownCredential", {"rpId": rp_id(), "credentialId": name})]
