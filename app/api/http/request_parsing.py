"""Reads what a client sent, strictly: bodies, queries, preconditions."""

import re
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import Request, current_app
from marshmallow import Schema, ValidationError, fields

from app.errors import (
    ContentTooLarge,
    Invalid,
    InvalidParameter,
    Malformed,
    PreconditionFailed,
    PreconditionRequired,
    UnsupportedEncoding,
    UnsupportedMediaType,
)
from app.faults import Code, Fault
from app.schemas.fields import Parameters
from app.schemas.strict_json import faults, load, parse
from app.services.shared.preconditions import Condition, Expect

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"  # RFC 7396
# A list may have empty elements (RFC 9110, 5.6.1).
_ENTITY_TAG = re.compile(r'[\s,]*(W/)?"([\x21\x23-\x7e\x80-\xff]*)"\s*(?:,[\s,]*|$)')
_VERSION = re.compile("[1-9][0-9]{0,17}")


def refuse_encoded(request: Request) -> None:
    """Raises UnsupportedEncoding for a body in any Content-Encoding but identity."""
    environ = request.environ
    if environ.get("CONTENT_LENGTH") in (None, "", "0") and "HTTP_TRANSFER_ENCODING" not in environ:
        return
    names = environ["HTTP_CONTENT_ENCODING"].split(",")
    if any(name.strip().lower() not in ("", "identity") for name in names):
        raise UnsupportedEncoding("Send the body without a Content-Encoding.")


def body(request: Request, schema: Schema, types: tuple[str, ...]) -> dict[str, Any]:
    """The validated body. Raises UnsupportedMediaType, ContentTooLarge, Malformed, Invalid."""
    if request.mimetype not in types:
        raise UnsupportedMediaType(f"Send the body as {' or '.join(types)}.")
    value = parse(content(request))
    if not isinstance(value, dict):
        raise Invalid(
            "The body must be a JSON object.",
            {"": Fault(Code.INVALID_TYPE, "This is not an object.")},
        )
    return load(schema, value)


def content(request: Request) -> bytes:
    """The bytes of the body. Raises ContentTooLarge; by Werkzeug where the length came first."""
    data = request.get_data()
    # Werkzeug cuts a chunked body at the limit, and says nothing.
    full = request.content_length is None and len(data) == request.max_content_length
    if full and request.environ["wsgi.input"].read(1):
        raise ContentTooLarge(f"Send at most {len(data)} bytes.")
    return data


def query(request: Request, schema: Schema) -> dict[str, Any]:
    """The validated query, a repeated parameter as a sorted list without doubles.

    Raises InvalidParameter, also for a parameter that is unknown or must not be repeated.
    """
    return dict(_query(request.environ.get("QUERY_STRING", ""), schema))


def without(request: Request, name: str) -> str:
    """The query but for one parameter, to go on with: empty or with "&" at its end."""
    return _without(request.environ.get("QUERY_STRING", ""), name)


# The same few queries come again and again: to remember them saves 60 us of each list.
@lru_cache(maxsize=512)
def _query(text: str, schema: Schema) -> dict[str, Any]:
    wrong: dict[str, Fault] = {}
    given = Parameters()
    for name, values in _lists(text).items():
        field = schema.fields.get(name)
        if fault := _parameter_fault(field, values):
            wrong[name] = fault
        else:
            given[name] = values if isinstance(field, fields.List) else values[0]
    try:
        loaded: dict[str, Any] = schema.load(given)
    except ValidationError as error:
        for name, detail in faults(error.messages):
            wrong.setdefault(name.partition("/")[0], detail)
    if wrong:
        raise InvalidParameter("Some query parameters are not valid.", wrong)
    # A repeated parameter is a set: its order and doubles do not matter to a cursor either.
    return {n: sorted(set(v)) if isinstance(v, list) else v for n, v in loaded.items()}


@lru_cache(maxsize=512)
def _without(text: str, name: str) -> str:
    return "".join(f"{urlencode([pair])}&" for pair in _pairs(text) if pair[0] != name)


def _lists(text: str) -> dict[str, list[str]]:
    lists: dict[str, list[str]] = {}
    for name, value in _pairs(text):
        lists.setdefault(name, []).append(value)
    return lists


def _pairs(text: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(text.encode("latin-1").decode(), keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        raise InvalidParameter("The query is not UTF-8.") from None


def _parameter_fault(field: Any, values: list[str]) -> Fault | None:
    if field is None:
        return Fault(Code.UNKNOWN_FIELD, "There is no such parameter.")
    if any("\0" in value for value in values):
        return Fault(Code.INVALID_CHARACTER, "It contains a NUL character.")
    if len(values) > 1 and not isinstance(field, fields.List):
        return Fault(Code.REPEATED, "It is given more than once.")
    return None


def condition(request: Request) -> Expect:
    """The versions that If-Match and If-None-Match let a change meet (RFC 9110, 13.1).

    Raises Malformed, and PreconditionRequired where the settings ask for If-Match.
    """
    match = request.environ.get("HTTP_IF_MATCH")
    if match is None and current_app.config["REQUIRE_IF_MATCH"]:
        raise PreconditionRequired("Send If-Match with the ETag of what you have read.")
    none_match = request.environ.get("HTTP_IF_NONE_MATCH")
    if match is None and none_match is None:
        return None
    # A weak tag never matches strongly (If-Match), a foreign one matches nothing.
    among = None if match is None or _is_any(match) else _versions(match, weak=False)
    if none_match is None:
        return among
    return Condition(among, None if _is_any(none_match) else _versions(none_match, weak=True))


def is_current(request: Request, etag: str) -> bool:
    """Whether If-None-Match names `etag` (RFC 9110, 13.1.2): the client has it already.

    If-Match comes first (13.2.2): raises PreconditionFailed where it does not name `etag`.
    """
    match = request.environ.get("HTTP_IF_MATCH")
    if match is not None and not _is_any(match) and etag not in _tags(match, weak=False):
        raise PreconditionFailed("The current version is not the one that If-Match names.")
    none_match = request.environ.get("HTTP_IF_NONE_MATCH")
    if none_match is None:
        return False
    try:
        return _is_any(none_match) or etag in _tags(none_match, weak=True)
    except Malformed:
        return False  # sending it once more does no harm


def _is_any(header: str) -> bool:
    return header.strip() == "*"


def _versions(header: str, *, weak: bool) -> frozenset[int]:
    tags = (tag.strip('"') for tag in _tags(header, weak=weak))
    return frozenset(int(tag) for tag in tags if _VERSION.fullmatch(tag))


def _tags(header: str, *, weak: bool) -> list[str]:
    """The entity tags in the header, without W/; those that are weak only where asked for."""
    return [f'"{tag}"' for prefix, tag in _entity_tags(header) if weak or not prefix]


def _entity_tags(header: str) -> list[tuple[str, str]]:
    tags, position = [], 0
    while position < len(header):
        match = _ENTITY_TAG.match(header, position)
        if match is None:
            raise Malformed('Write entity tags in double quotes, as "1".')
        tags.append((match[1] or "", match[2]))
        position = match.end()
    return tags
