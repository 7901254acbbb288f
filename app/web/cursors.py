"""The opaque cursor of a list: where the last page ended, signed, and bound to what it was of."""

import base64
import binascii
import hashlib
import hmac
from typing import Any

import orjson
from flask import current_app

from app.errors import InvalidParameter
from app.faults import Code, Fault

_TAG = 16  # bytes of the HMAC that are kept


def seal(last: list[Any] | None, binding: object) -> str | None:
    """The cursor behind `last`, for the list that `binding` describes (filters, sort, person)."""
    if last is None:
        return None
    payload = orjson.dumps(last, option=orjson.OPT_UTC_Z)
    return _text(_tag(payload, binding, _keys()[0]) + payload)


def unseal(cursor: str | None, binding: object) -> list[Any] | None:
    """What `seal` was given. Raises InvalidParameter for one that is foreign, forged or cut."""
    if cursor is None:
        return None
    try:
        raw = base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), b"-_", True)
    except (binascii.Error, ValueError):
        raise _stray() from None
    payload = raw[_TAG:]
    if _text(raw) != cursor:  # base64 has several spellings of the same bytes
        raise _stray()
    if not any(hmac.compare_digest(raw[:_TAG], _tag(payload, binding, key)) for key in _keys()):
        raise _stray()
    last: list[Any] = orjson.loads(payload)
    return last


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _keys() -> list[str]:
    """The key that signs, then those that were in use before it."""
    settings = current_app.config
    return [settings["SECRET_KEY"], *settings["SECRET_KEY_FALLBACKS"]]


def _tag(payload: bytes, binding: object, secret_key: str) -> bytes:
    key = hashlib.sha256(b"cursor" + secret_key.encode()).digest()
    bound = orjson.dumps(binding, option=orjson.OPT_SORT_KEYS)
    return hmac.digest(key, payload + b"\0" + bound, "sha256")[:_TAG]


def _stray() -> InvalidParameter:
    why = "It belongs to another list, filter or sort order."
    return InvalidParameter("The cursor is not valid.", {"cursor": Fault(Code.MALFORMED, why)})
