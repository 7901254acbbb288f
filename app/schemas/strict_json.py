"""Strict parsing and validation of JSON."""

import json
import math
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from marshmallow import Schema, ValidationError

from app.errors import Invalid, Malformed
from app.faults import Code, Fault

# Limits of an error response, and of arrays and objects, which no operation needs longer.
FAULTS_MAX = 100  # in one response
POINTER_MAX = 1000  # characters: a deeper fault is reported at an enclosing value
ITEMS_MAX = 1000  # of one array or object
_SMALL = 4 * ITEMS_MAX  # characters: counting the items of a shorter body is not worth its cost
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_CROWDED = Fault(Code.TOO_LONG, f"Use at most {ITEMS_MAX} items.")
_MARRED = Fault(
    Code.INVALID_CHARACTER, "The value contains a NUL character or an unpaired surrogate."
)


def load(schema: Schema, value: dict[str, Any]) -> dict[str, Any]:
    """Return the validated value. Raises Invalid with a JSON Pointer (RFC 6901) for each fault."""
    try:
        loaded: dict[str, Any] = schema.load(value)
    except ValidationError as error:
        raise Invalid("Some values are not valid.", dict(faults(error.messages))) from None
    return loaded


def parse(data: bytes) -> Any:
    """Return the value of JSON (RFC 8259) in UTF-8, without duplicate keys and NaN.

    Raises Malformed, Invalid.
    """
    try:
        text = data.decode()
        value = _DECODER.decode(text)
        # only an escape can produce a character that no text column stores
        marred = list(islice(_unstorable(value), FAULTS_MAX)) if "\\u" in text else []
        crowded = next(_oversized(value), None) if len(text) > _SMALL else None
    except UnicodeDecodeError:
        raise Malformed("The body is not UTF-8.") from None
    except RecursionError:
        raise Malformed("The body is nested too deep.") from None
    except ValueError as error:
        raise Malformed(f"The body is not JSON: {error}") from None
    if crowded is not None:
        raise Invalid("Some values are not valid.", {crowded: _CROWDED})
    if marred:
        raise Invalid("Some values are not valid.", dict.fromkeys(marred, _MARRED))
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object has the same key twice")
    return found


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number")


def _integer(digits: str) -> float:
    return int(digits) if len(digits) < 20 else math.inf  # larger than any column: out of range


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant, parse_int=_integer)


def _unstorable(value: Any, path: str = "") -> Iterator[str]:
    if isinstance(value, str):
        if _UNSTORABLE.search(value):
            yield path
    elif isinstance(value, dict):
        for key, inner in value.items():
            if _UNSTORABLE.search(key):
                yield path
            else:
                yield from _unstorable(inner, _join(path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _unstorable(inner, _join(path, index))


def _oversized(value: Any, path: str = "") -> Iterator[str]:
    """Yield the pointers of arrays and objects with more than ITEMS_MAX items."""
    if isinstance(value, dict | list):
        if len(value) > ITEMS_MAX:
            yield path
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in pairs:
            if isinstance(inner, dict | list):
                yield from _oversized(inner, _join(path, key))


def faults(messages: Any) -> Iterator[tuple[str, Fault]]:
    """Yield marshmallow's messages flat: a JSON Pointer without its first slash, and the fault."""
    return islice(_flat(messages), FAULTS_MAX)


def _flat(messages: Any, path: str = "") -> Iterator[tuple[str, Fault]]:
    if isinstance(messages, dict):
        for key, inner in messages.items():
            yield from _flat(inner, path if key == "_schema" else _join(path, key))
    else:
        codes = [message.code for message in messages if isinstance(message, Fault)]
        yield path, Fault(next(iter(codes), Code.INVALID), " ".join(map(str, messages)))


def pointer(name: str) -> str:
    """Return the JSON Pointer of a field name in an error."""
    return f"/{name}" if name else ""


def step(key: Any) -> str:
    """Return a key as a reference token of a JSON Pointer (RFC 6901, 3)."""
    return str(key).replace("~", "~0").replace("/", "~1")


def _join(path: str, key: Any) -> str:
    joined = f"{path}/{step(key)}" if path else step(key)
    return joined if len(joined) <= POINTER_MAX else path
