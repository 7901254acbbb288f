"""The opaque cursor of a list: the end of the last page, signed and bound to its list."""

import hashlib
from typing import Any

import orjson
from flask import current_app
from itsdangerous import BadData, BadSignature, Signer
from itsdangerous.encoding import base64_decode, base64_encode

from app.errors import InvalidParameter
from app.faults import Code, Fault


def seal(last: list[Any] | None, binding: object) -> str | None:
    """Return the cursor behind the row `last`, None if the list ends there.

    `binding` describes the list: its filters, its order and the person who reads it.
    """
    if last is None:
        return None
    payload = orjson.dumps(last, option=orjson.OPT_UTC_Z)
    return _signer(binding).sign(base64_encode(payload)).decode()


def unseal(cursor: str | None, binding: object) -> list[Any] | None:
    """Return the row of a cursor by `seal`. Raises InvalidParameter for any other text."""
    if cursor is None:
        return None
    if not cursor.isascii() or not _is_canonical(cursor.rpartition(".")[2]):
        raise _stray()
    try:
        payload = _signer(binding).unsign(cursor)
    except BadSignature:
        raise _stray() from None
    last: list[Any] = orjson.loads(base64_decode(payload))
    return last


def _is_canonical(signature: str) -> bool:
    """Return True for the one spelling that `seal` gives: Base64 has several for the same bytes."""
    try:
        return base64_encode(base64_decode(signature)) == signature.encode()
    except BadData:
        return False


def _signer(binding: object) -> Signer:
    """Return the signer of one list's cursors. The last key signs, all keys verify."""
    settings = current_app.config
    keys = [*settings["SECRET_KEY_FALLBACKS"], settings["SECRET_KEY"]]
    salt = b"cursor" + orjson.dumps(binding, option=orjson.OPT_SORT_KEYS)
    return Signer(keys, salt, key_derivation="hmac", digest_method=hashlib.sha256)


def _stray() -> InvalidParameter:
    why = "It belongs to another list, filter or sort order."
    return InvalidParameter("The cursor is not valid.", {"cursor": Fault(Code.MALFORMED, why)})
