"""The `operation` decorator: the handling of a request by its declaration.

A view declares its scopes, input and output. The decorator checks the request and writes the
response by the declaration, and the OpenAPI document is built from the same declaration.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Request, Response, current_app, request
from marshmallow import Schema

from app.api.http import idempotency, multipart, request_parsing, responses
from app.api.http.declaration import Operation
from app.errors import AppError, IdempotencyNotSupported, Unauthorized
from app.services.shared.actor import Actor
from app.services.shared.client_networks import network_of
from app.services.shared.paging import Page, PageRequest
from app.web import cursors, rate_limit
from app.web.current_user import api_user, origin, require_scopes

View = Callable[..., Any]


def operation(**declared: Any) -> Callable[[View], View]:
    """Turn a function into an API view. The function takes the actor and, as declared, `body`,
    `query` (in a list also `paging`, a PageRequest), `expect` and `record`, which is the result
    of `reads` or None. It returns a row, a Page, a Response or None."""
    declaration = Operation(**declared)
    answer = _respond_with_outside_names if declaration.renames else _run_or_replay

    def decorate(view: View) -> View:
        @wraps(view)
        def handle(**given: Any) -> Response:
            call: Request = request._get_current_object()  # type: ignore[attr-defined]
            actor, record = _authenticate(declaration, call, given)
            if declaration.reads is not None:
                given["record"] = record
            response = answer(declaration, call, view, actor, given)
            if declaration.deprecated is not None:
                declaration.deprecated.announce(response.headers)
            return response

        handle.operation = declaration  # type: ignore[attr-defined]
        return handle

    return decorate


# `call` is the request object itself: Flask's proxy looks the request up at each use.


def _authenticate(
    declaration: Operation, call: Request, given: dict[str, Any]
) -> tuple[Actor, Any]:
    """Return the actor and the record that the token's statement read.

    The rate limit counts the request by token, or by network address without a valid token.
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


def _respond_with_outside_names(
    declaration: Operation, call: Request, view: View, actor: Actor, given: dict[str, Any]
) -> Response:
    called = False

    def noted(*args: Any, **kwargs: Any) -> Any:
        nonlocal called
        called = True
        return view(*args, **kwargs)

    try:
        return _run_or_replay(declaration, call, noted, actor, given)
    except AppError as error:
        if called:  # else the error names what the client has sent
            declaration.name_outside(error)
        raise


def _run_or_replay(
    declaration: Operation, call: Request, view: View, actor: Actor, given: dict[str, Any]
) -> Response:
    """Return the response, or the stored response of the request's Idempotency-Key."""
    if "HTTP_CONTENT_ENCODING" in call.environ and call.method not in ("GET", "HEAD"):
        request_parsing.refuse_encoded(call)
    if declaration.takes_max:
        is_form = call.mimetype == multipart.MULTIPART
        call.max_content_length = declaration.takes_max + (multipart.AROUND_MAX if is_form else 0)
    if not declaration.idempotent:
        idempotency.refuse(call)
    elif key := idempotency.key_of(call):
        if not actor.id:
            raise IdempotencyNotSupported("Without a token there is no Idempotency-Key.")
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
    paging = PageRequest(limit, after, count)
    page: Page[Any] = view(actor, query={**query}, paging=paging, **given)
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
    """Return the Link header (RFC 8288). The URL is absolute, as clients expect."""
    query = request_parsing.without(call, "cursor")
    where = f"{current_app.config['PUBLIC_URL']}{call.path}?{query}cursor={cursor}"
    return f'<{where}>; rel="next"'
