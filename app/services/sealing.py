"""Secrets that must be read again (of TOTP, of webhooks), encrypted before they are stored.

Fernet, by a key derived from SECRET_KEY: whoever has the database alone reads none of them. A value
sealed by a key in SECRET_KEY_FALLBACKS opens too, so that the key can be changed.
"""

import base64
import hmac
import logging
from functools import lru_cache
from typing import TYPE_CHECKING

from app import policy

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

_log = logging.getLogger("flagstone.sealing")
PURPOSE = b"flagstone: values sealed in the database"


class Sealed(Exception):
    """It was sealed by a key that is no longer known. The log says so, to who runs the service."""


def seal(value: str) -> str:
    return _cipher(policy.current().secret_keys).encrypt(value.encode()).decode()


def unseal(sealed: str) -> str:
    """Raises Sealed."""
    from cryptography.fernet import InvalidToken  # noqa: PLC0415 - see _cipher

    try:
        return _cipher(policy.current().secret_keys).decrypt(sealed).decode()
    except InvalidToken as error:
        fault = "A stored secret cannot be read: add the old SECRET_KEY to SECRET_KEY_FALLBACKS."
        _log.error(fault)
        raise Sealed(fault) from error


@lru_cache(maxsize=4)
def _cipher(keys: tuple[str, ...]) -> "MultiFernet":
    # Only who uses it pays for loading it: 30 ms of CPU, of the 500 that a start may take.
    from cryptography.fernet import Fernet, MultiFernet  # noqa: PLC0415

    derived = (hmac.digest(key.encode(), PURPOSE, "sha256") for key in keys)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in derived])
