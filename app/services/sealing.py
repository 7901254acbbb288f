"""Secrets that must be read again (of TOTP, of webhooks), encrypted before they are stored.

Fernet, by a key derived from SECRET_KEY: whoever has the database alone reads none of them. A value
sealed by a key in SECRET_KEY_FALLBACKS opens too, so that the key can be changed.
"""

import base64
import hmac
from functools import lru_cache
from typing import TYPE_CHECKING

from app import policy
from app.errors import AppError

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

PURPOSE = b"flagstone: values sealed in the database"


class Sealed(AppError):
    """It was sealed by a key that is no longer known."""


def seal(value: str) -> str:
    return _cipher(policy.current().secret_keys).encrypt(value.encode()).decode()


def unseal(sealed: str) -> str:
    """Raises Sealed."""
    from cryptography.fernet import InvalidToken  # noqa: PLC0415 - see _cipher

    try:
        return _cipher(policy.current().secret_keys).decrypt(sealed).decode()
    except InvalidToken as error:
        raise Sealed(
            "SECRET_KEY was changed since: add the old one to SECRET_KEY_FALLBACKS."
        ) from error


@lru_cache(maxsize=4)
def _cipher(keys: tuple[str, ...]) -> "MultiFernet":
    # Only who uses it pays for loading it: 30 ms of CPU, of the 500 that a start may take.
    from cryptography.fernet import Fernet, MultiFernet  # noqa: PLC0415

    derived = (hmac.digest(key.encode(), PURPOSE, "sha256") for key in keys)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in derived])
