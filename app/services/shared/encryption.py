"""The encryption of stored secrets that must be read again (TOTP, webhooks).

Fernet, with a key derived from SECRET_KEY: the database alone does not reveal the secrets. Values
of an earlier key in SECRET_KEY_FALLBACKS stay readable; app.services.shared.encrypted_columns seals
them again.
"""

import base64
import hmac
from functools import lru_cache
from typing import TYPE_CHECKING

from app import settings
from app.lazy import lazy_import

if TYPE_CHECKING:
    from cryptography import fernet
else:
    fernet = lazy_import("cryptography.fernet")  # 7 MiB of memory

# A part of the derived key: with other bytes all stored secrets become unreadable.
PURPOSE = bytes.fromhex(
    "666c616773746f6e653a2076616c756573207365616c656420696e20746865206461746162617365"
)


class Sealed(Exception):
    """No known key decrypts the value."""

    def __init__(self) -> None:
        super().__init__(
            "A stored secret cannot be read: add the key that sealed it to SECRET_KEY_FALLBACKS."
        )


def seal(value: str) -> str:
    """Return `value` encrypted with SECRET_KEY."""
    return _cipher(settings.current().secret_keys[:1]).encrypt(value.encode()).decode()


def unseal(sealed: str) -> str:
    """Return the value, sealed by any known key. Raises Sealed."""
    return _opened(settings.current().secret_keys, sealed)


def is_outdated(sealed: str) -> bool:
    """Return True if an earlier key sealed the value, which must be readable by `unseal`."""
    keys = settings.current().secret_keys
    if len(keys) == 1:
        return False
    try:
        _opened(keys[:1], sealed)
    except Sealed:
        return True
    return False


def _opened(keys: tuple[str, ...], sealed: str) -> str:
    try:
        return _cipher(keys).decrypt(sealed).decode()
    except fernet.InvalidToken as error:
        raise Sealed from error


@lru_cache(maxsize=16)
def _cipher(keys: tuple[str, ...]) -> "fernet.MultiFernet":
    derived = (hmac.digest(key.encode(), PURPOSE, "sha256") for key in keys)
    return fernet.MultiFernet([fernet.Fernet(base64.urlsafe_b64encode(key)) for key in derived])
