"""Strict parsing of requests: bodies, queries, preconditions."""

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
from app.schemas.names import fields_by_name
from app.schemas.strict_json import faults, load, parse
from app.services.shared.preconditions import Condition, Expect

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"  # RFC 7396
# A list can contain empty elements (RFC 9110, 5.6.1).
_ENTITY_TAG = re.compile(r'[\s,]*(W/)?"([\x21\x23-\x7e\x80-\xff]*)"\s*(?:,[\s,]*|$)')
_VERSION = re.compile("[1-9][0-9]{0,17}")


def refuse_encoded(request: Request) -> None:
    """Raise UnsupportedEncoding for a body with a Content-Encoding other than identity."""
    environ = request.environ
    if environ.get("CONTENT_LENGTH") in (None, "", "0") and "HTTP_TRANSFER_ENCODING" not in environ:
        return
    names = environ["HTTP_CONTENT_ENCODING"].split(",")
    if any(name.strip().lower() not in ("", "identity") for name in names):
        raise UnsupportedEncoding("Send the body without a Content-Encoding.")


def body(request: Request, schema: Schema, types: tuple[str, ...]) -> dict[str, Any]:
    """Return the validated body.

    Raises UnsupportedMediaType, ContentTooLarge, Malformed, Invalid.
    """
    if request.environ.get("CONTENT_TYPE") not in types and request.mimetype not in types:
        raise UnsupportedMediaType(f"Send the body as {' or '.join(types)}.")
    value = parse(content(request))
    if not isinstance(value, dict):
        raise Invalid(
            "The body must be a JSON object.",
            {"": Fault(Code.INVALID_TYPE, "This is not an object.")},
        )
    return load(schema, value)


def content(request: Request) -> bytes:
    """Return the bytes of the body. Raises ContentTooLarge (Werkzeug, if Content-Length is set)."""
    data = request.get_data()
    # Werkzeug silently truncates a chunked body at the limit.
    environ = request.environ
    chunked = "CONTENT_LENGTH" not in environ or "HTTP_TRANSFER_ENCODING" in environ
    if chunked and len(data) == request.max_content_length and environ["wsgi.input"].read(1):
        raise ContentTooLarge(f"Send at most {len(data)} bytes.")
    return data


def query(request: Request, schema: Schema) -> dict[str, Any]:
    """Return the validated query, a repeatable parameter as a sorted list without duplicates.

    Raises InvalidParameter, also for an unknown or wrongly repeated parameter.
    """
    return dict(_query(request.environ.get("QUERY_STRING", ""), schema))


def without(request: Request, name: str) -> str:
    """Return the query string without one parameter: empty, or ending in "&"."""
    return _without(request.environ.get("QUERY_STRING", ""), name)


# Clients repeat a few queries: the cache saves 60 us per list request.
@lru_cache(maxsize=512)
def _query(text: str, schema: Schema) -> dict[str, Any]:
    wrong: dict[str, Fault] = {}
    given = Parameters()
    for name, values in _lists(text).items():
        field = fields_by_name(schema).get(name)
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
    # A repeated parameter is a set: a cursor must not depend on its order or duplicates.
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
        return Fault(Code.INVALID_CHARACTER, "The value contains a NUL character.")
    if len(values) > 1 and not isinstance(field, fields.List):
        return Fault(Code.REPEATED, "The parameter is given more than once.")
    return None


def condition(request: Request) -> Expect:
    """Return the versions that If-Match and If-None-Match allow to change (RFC 9110, 13.1).

    Raises Malformed, and PreconditionRequired if the settings require If-Match.
    """
    match = request.environ.get("HTTP_IF_MATCH")
    if match is None and current_app.config["REQUIRE_IF_MATCH"]:
        raise PreconditionRequired("Send If-Match with the ETag of the version that you read.")
    none_match = request.environ.get("HTTP_IF_NONE_MATCH")
    if match is None and none_match is None:
        return None
    # If-Match compares strongly: a weak tag never matches. A foreign tag matches nothing.
    among = None if match is None or _is_any(match) else _versions(match, weak=False)
    if none_match is None:
        return among
    return Condition(among, None if _is_any(none_match) else _versions(none_match, weak=True))


def is_current(request: Request, etag: str) -> bool:
    """Return True if If-None-Match contains `etag` (RFC 9110, 13.1.2): the client's copy is valid.

    If-Match is evaluated first (13.2.2). Raises PreconditionFailed if it does not contain `etag`.
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
        return False  # a full response is always correct


def _is_any(header: str) -> bool:
    return header.strip() == "*"


def _versions(header: str, *, weak: bool) -> frozenset[int]:
    tags = (tag.strip('"') for tag in _tags(header, weak=weak))
    return frozenset(int(tag) for tag in tags if _VERSION.fullmatch(tag))


def _tags(header: str, *, weak: bool) -> list[str]:
    """Return the entity tags of the header without W/; weak tags only if `weak` is true."""
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
