"""The WebAuthn messages to and from the browser, as JSON (WebAuthn Level 2)."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson

from app import product, settings
from app.errors import Invalid
from app.lazy import lazy_import
from app.models import User

if TYPE_CHECKING:
    import webauthn
else:
    webauthn = lazy_import("webauthn")

TIMEOUT = 300_000  # milliseconds that the browser waits for the person
ID_MAX = 1023  # bytes of the id of a credential (WebAuthn Level 3, 7.1)
ALGORITHMS = (-7, -8, -257)  # ES256, EdDSA, RS256 (RFC 9053, RFC 8812)


@dataclass(slots=True, frozen=True)
class Challenge:
    """Random bytes in base64url for a passkey to sign, and the moment of their issue."""

    value: str
    issued_at: datetime


def creation(challenge: Challenge, user: User, known: Sequence[str]) -> dict[str, Any]:
    """Return the options to create a passkey on a device that has none of the ids `known`."""
    name = user.username
    return {
        "rp": {"id": rp_id(), "name": product.NAME},
        "user": {"id": encoded(user.id.encode()), "name": name, "displayName": name},
        "challenge": challenge.value,
        "pubKeyCredParams": [{"type": "public-key", "alg": number} for number in ALGORITHMS],
        "timeout": TIMEOUT,
        "excludeCredentials": _descriptors(known),
        "authenticatorSelection": {
            "residentKey": "required",
            "requireResidentKey": True,
            "userVerification": "preferred",
        },
        "attestation": "none",
    }


def request(challenge: Challenge, known: Sequence[str], *, verified: bool) -> dict[str, Any]:
    """Return the options to sign with one of the ids `known`, or with any passkey if it is empty.

    `verified` requires user verification by the device.
    """
    return {
        "rpId": rp_id(),
        "challenge": challenge.value,
        "timeout": TIMEOUT,
        "allowCredentials": _descriptors(known),
        "userVerification": "required" if verified else "preferred",
    }


def made(answer: str, challenge: Challenge) -> tuple[dict[str, Any], str]:
    """Return the columns of a new passkey and the AAGUID of its provider. Raises Invalid."""
    try:
        found = webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=decoded(challenge.value),
            expected_rp_id=rp_id(),
            expected_origin=settings.current().passkey_origin,
        )
    except Exception as error:  # parsers raise many types for arbitrary input
        raise Invalid("The browser's answer cannot be used. Try again.") from error
    if len(found.credential_id) > ID_MAX:
        raise Invalid("The device gave the passkey an id that is too long.")
    columns = {
        "credential_id": encoded(found.credential_id),
        "public_key": encoded(found.credential_public_key),
        "sign_count": found.sign_count,
    }
    return columns, found.aaguid


def count_of(
    answer: dict[str, Any], public_key: str, challenge: Challenge, *, verified: bool
) -> int | None:
    """Return the counter of an answer, or None if the signature of the passkey is not valid."""
    try:
        found = webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=decoded(challenge.value),
            expected_rp_id=rp_id(),
            expected_origin=settings.current().passkey_origin,
            credential_public_key=decoded(public_key),
            credential_current_sign_count=0,  # passkeys.py compares it in its update
            require_user_verification=verified,
        )
    except Exception:  # see made
        return None
    return found.new_sign_count


def read(answer: str) -> dict[str, Any]:
    """Return the browser's answer, or one with an empty id, which no account has."""
    try:
        sent = orjson.loads(answer)
    except orjson.JSONDecodeError:
        sent = None
    known = isinstance(sent, dict) and isinstance(sent.get("id"), str) and "\0" not in sent["id"]
    return sent if known else {"id": ""}


def names_another(answer: dict[str, Any], user_id: str) -> bool:
    """Return True if the answer names a user other than `user_id` (WebAuthn, 7.2, step 6)."""
    response = answer.get("response")
    handle = response.get("userHandle") if isinstance(response, dict) else None
    return handle not in (None, "", encoded(user_id.encode()))


def encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def decoded(value: str) -> bytes:
    return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))


def _descriptors(known: Sequence[str]) -> list[dict[str, str]]:
    return [{"type": "public-key", "id": credential_id} for credential_id in known]


def rp_id() -> str:
    return urlsplit(settings.current().passkey_origin).hostname or ""
