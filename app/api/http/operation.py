"""What an operation of the API declares, and what follows from it.

A view says who may call it, what comes in and what goes out; `operation` does that for it, and the
OpenAPI document reads the same declaration, so that the two cannot differ.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

from flask import Request, Response, current_app, request
from marshmallow import Schema

from app.api.http import idempotency, multipart, request_parsing, responses
from app.api.http.deprecation import Deprecation
from app.errors import AppError, Unauthorized
from app.schemas.coded_fields import Range
from app.schemas.fields import Flag, Number, Text, compile_dump
from app.services.access.bearer_tokens import HolderStatement
from app.services.shared.actor import Actor
from app.services.shared.client_networks import network_of
from app.services.shared.holder_records import HolderRecord
from app.services.shared.paging import LIMIT_DEFAULT, LIMIT_MAX, Page
from app.web import cursors, rate_limit
from app.web.current_user import api_user, origin, require_scopes

View = Callable[..., Any]
Dump = Callable[[Any], Any]


class ListQuery(Schema):
    """What every list takes, besides its filters."""

    limit = Number(
        load_default=LIMIT_DEFAULT,
        validate=Range(1, LIMIT_MAX, error="Use {min} to {max}."),
        metadata={"description": "How many at the most."},
    )
    cursor = Text(
        load_default=None,
        metadata={"description": "The `next_cursor` of the page before, with the same filters."},
    )
    count = Flag(
        load_default=False, metadata={"description": "Whether to count all that match, as `total`."}
    )


@dataclass(frozen=True, kw_only=True)
class Operation:
    """`scopes`: one of them is needed; () is any token, None is open to strangers."""

    id: str  # verb and resource, for the names in generated clients: "listTasks"
    summary: str
    scopes: tuple[str, ...] | None
    before_factor: bool = False  # leads to a factor, or out: open to who lacks a required one
    token_optional: bool = False  # strangers may call it too; a token that is sent counts
    body: Schema | None = None
    body_types: tuple[str, ...] = (request_parsing.JSON,)
    query: Schema | None = None
    # A body that the view reads by itself, an answer that it writes by itself: example by type.
    takes: Mapping[str, str] = field(default_factory=dict)
    takes_max: int = 0  # bytes of such a body, where it may be larger than others
    takes_file: str = ""  # the field of a form that may hold such a body as a file
    returns: Schema | None = None
    variants: Mapping[type, Schema] = field(default_factory=dict)  # of rows of another class
    streams: Mapping[str, str] = field(default_factory=dict)
    status: int = 200
    location: str = ""  # of what was created: "/api/v1/tasks/{0.id}"
    etag: bool = False  # the answer carries one
    reads: HolderRecord | None = None  # found by the URL's ids, in the statement of the token
    if_match: bool = False  # a change of one record, which may be guarded by its ETag
    idempotent: bool = False  # takes an Idempotency-Key
    errors: tuple[type[AppError], ...] = ()
    deprecated: Deprecation | None = None
    dump: Dump = field(init=False)
    is_list: bool = field(init=False)
    reading: HolderStatement | None = field(init=False)

    def __post_init__(self) -> None:
        dump = compile_dump(self.returns) if self.returns else lambda row: row
        dumps = {kind: compile_dump(schema) for kind, schema in self.variants.items()}
        object.__setattr__(self, "dump", _dump_by_class(dumps, dump) if dumps else dump)
        reading = HolderStatement(self.reads) if self.reads is not None else None
        object.__setattr__(self, "reading", reading)
        object.__setattr__(self, "is_list", isinstance(self.query, ListQuery))


def _dump_by_class(dumps: Mapping[type, Dump], default: Dump) -> Dump:
    return lambda row: dumps.get(type(row), default)(row)


def operation(**declared: Any) -> Callable[[View], View]:
    """Make an API view of a function that takes the actor and, as declared, `body`, `query`
    (a list's also `after`, `limit`, `count`), `expect` and `record`, and returns a row, a Page or
    None. `record` is what `reads` found, or None."""
    declaration = Operation(**declared)

    def decorate(view: View) -> View:
        @wraps(view)
        def answered(**given: Any) -> Response:
            call: Request = request._get_current_object()  # type: ignore[attr-defined]
            actor, record = _caller(declaration, call, given)
            if declaration.reads is not None:
                given["record"] = record
            response = _once(declaration, call, view, actor, given)
            if declaration.deprecated is not None:
                declaration.deprecated.announce(response.headers)
            return response

        answered.operation = declaration  # type: ignore[attr-defined]
        return answered

    return decorate


# `call` is the request itself and not Flask's proxy, which looks it up at each of many uses.


def _caller(declaration: Operation, call: Request, given: dict[str, Any]) -> tuple[Actor, Any]:
    """The actor, and the record that was found with the token.

    The request is counted by its token, or by its address where no token is valid.
    """
    environ = call.environ
    anonymous = declaration.token_optional and "HTTP_AUTHORIZATION" not in environ
    if declaration.scopes is None or anonymous:
        rate_limit.hit(environ, network_of(environ.get("REMOTE_ADDR", "")))
        return origin(), None
    try:
        actor, record = api_user(environ, declaration.reading, given)
    except Unauthorized:
        rate_limit.hit(environ, network_of(environ.get("REMOTE_ADDR", "")))
        raise
    rate_limit.hit(environ, actor.token_id or "")
    require_scopes(actor, declaration.scopes)
    if actor.confined and not declaration.before_factor:
        actor.require_factor()
    return actor, record


def _once(
    declaration: Operation, call: Request, view: View, actor: Actor, given: dict[str, Any]
) -> Response:
    """The answer, or the one that this Idempotency-Key got before."""
    if "HTTP_CONTENT_ENCODING" in call.environ and call.method not in ("GET", "HEAD"):
        request_parsing.refuse_encoded(call)
    if declaration.takes_max:
        is_form = call.mimetype == multipart.MULTIPART
        call.max_content_length = declaration.takes_max + (multipart.AROUND_MAX if is_form else 0)
    if not declaration.idempotent:
        idempotency.refuse(call)
    elif key := idempotency.key_of(call):
        return idempotency.replay_or_run(
            call, actor, key, lambda: _answer(declaration, call, view, actor, given)
        )
    return _answer(declaration, call, view, actor, given)


def _answer(
    declaration: Operation, call: Request, view: View, actor: Actor, given: dict[str, Any]
) -> Response:
    if declaration.if_match:
        given["expect"] = request_parsing.condition(call)
    if declaration.body is not None:
        given["body"] = request_parsing.body(call, declaration.body, declaration.body_types)
    if declaration.is_list:
        return _list(declaration, call, view, actor, given)
    if declaration.query is not None:
        given["query"] = request_parsing.query(call, declaration.query)
    elif call.query_string:
        request_parsing.query(call, _NO_QUERY)
    return _respond(declaration, call, view(actor, **given))


_NO_QUERY = Schema()


def _respond(declaration: Operation, call: Request, row: Any) -> Response:
    if isinstance(row, Response):
        return row
    if declaration.returns is None:
        return responses.empty(declaration.status, {})
    headers = {}
    if declaration.etag:
        if call.method in ("GET", "HEAD") and request_parsing.is_current(
            call, responses.etag(row.version)
        ):
            return responses.not_modified(row.version)
        headers = responses.validators(row.version)
    if declaration.location:
        headers["Location"] = declaration.location.format(row)
    return responses.in_json(declaration.dump(row), declaration.status, headers)


def _list(
    declaration: Operation, call: Request, view: View, actor: Actor, given: dict[str, Any]
) -> Response:
    assert declaration.query is not None  # noqa: S101 - it is a ListQuery
    query = request_parsing.query(call, declaration.query)
    limit, cursor, count = query.pop("limit"), query.pop("cursor"), query.pop("count")
    binding = [call.path, actor.id, query]
    after = cursors.unseal(cursor, binding)
    page: Page[Any] = view(actor, query=query, limit=limit, after=after, count=count, **given)
    following = cursors.seal(page.last, binding)
    body: dict[str, Any] = {
        "items": [declaration.dump(row) for row in page.items],
        "next_cursor": following,
    }
    if page.total is not None:
        body["total"] = page.total
    headers = {"Link": _next_link(call, following)} if following else {}
    return responses.in_json(body, 200, headers)


def _next_link(call: Request, cursor: str) -> str:
    """RFC 8288. Absolute, because clients that follow it expect it so."""
    query = request_parsing.without(call, "cursor")
    where = f"{current_app.config['PUBLIC_URL']}{call.path}?{query}cursor={cursor}"
    return f'<{where}>; rel="next"'
