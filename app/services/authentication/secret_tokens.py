"""Random secrets that are shown once and stored as hashes.

TOKEN_PREFIX + 43 characters (32 random bytes in base 62) + 6 characters of CRC-32 in base 62:
scanners of leaked secrets recognise the form, and a typing error is found without a query.
"""

import hashlib
import secrets
import zlib

from app.product import TOKEN_PREFIX

SHOWN = 10  # characters of a token that lists may show, to distinguish tokens
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RANDOM_LENGTH, _SUM_LENGTH = 43, 6
_LENGTH = len(TOKEN_PREFIX) + _RANDOM_LENGTH + _SUM_LENGTH


def make() -> str:
    start = TOKEN_PREFIX + _base62(secrets.randbits(256), _RANDOM_LENGTH)
    return start + _checksum(start)


def is_wellformed(token: str) -> bool:
    return (
        len(token) == _LENGTH
        and token.isascii()
        and token.startswith(TOKEN_PREFIX)
        and _checksum(token[:-_SUM_LENGTH]) == token[-_SUM_LENGTH:]
    )


def digest(token: str) -> str:
    """Return the SHA-256 in hexadecimal. A slow hash adds nothing to 256 random bits."""
    return hashlib.sha256(token.encode()).hexdigest()


def _checksum(text: str) -> str:
    return _base62(zlib.crc32(text.encode()), _SUM_LENGTH)


def _base62(number: int, length: int) -> str:
    digits = ""
    for _ in range(length):
        number, digit = divmod(number, 62)
        digits = _DIGITS[digit] + digits
    return digits
