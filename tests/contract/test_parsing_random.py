"""Random bodies, queries and paths never give a 5xx."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings, strategies as st

from tests.support.answers import MISSING, PROBLEM
from tests.support.clients import Api
from tests.support.routes import OPERATIONS, Route

pytestmark = pytest.mark.slow

TEXTS = st.text(st.characters(), max_size=30)  # halves of surrogate pairs and NUL too
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | TEXTS
    | st.sampled_from([MISSING, "2026-08-01T06:00:00Z", "todo", "done", "high", "ann", "admin"])
    | st.integers(10**400, 10**401)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=8,
)
WITH_BODY = [route for route in OPERATIONS if route.operation and route.operation.body]
WITH_IDS = [route for route in OPERATIONS if "<" in route.rule]
KNOWN = sorted(
    {
        name
        for route in OPERATIONS
        if route.operation and route.operation.query
        for name in route.operation.query.fields
    }
)
HEADERS = [
    "Accept",
    "Accept-Language",
    "Authorization",
    "Content-Type",
    "Cookie",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "Origin",
    "Range",
    "Sec-Fetch-Site",
    "X-Forwarded-For",
    "X-Request-ID",
]
TYPES = ["application/json", "application/merge-patch+json", "text/csv", "application/x-ndjson"]


@st.composite
def bodies(draw: st.DrawFn) -> tuple[Route, bytes]:
    """Draw an operation and a JSON body with some of its fields."""
    route = draw(st.sampled_from(WITH_BODY))
    assert route.operation
    assert route.operation.body
    fields = st.dictionaries(st.sampled_from(sorted(route.operation.body.fields)), VALUES)
    document = draw(fields | VALUES | st.dictionaries(TEXTS, VALUES))
    return route, json.dumps(document).encode()


def check(answer: Any) -> None:
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert answer.mimetype == PROBLEM


@settings(max_examples=300)
@given(sent=bodies(), patched=st.booleans())
def test_no_json_document_breaks_an_operation(
    root_api: Api, sent: tuple[Route, bytes], patched: bool
) -> None:
    route, data = sent
    content_type = TYPES[patched and route.method == "PATCH"]
    check(root_api.call(route.method, route.path(), data=data, content_type=content_type))


@settings(max_examples=200)
@given(
    route=st.sampled_from([route for route in OPERATIONS if route.method != "GET"]),
    data=st.binary(max_size=200) | st.text().map(str.encode),
    content_type=st.sampled_from(TYPES),
)
@example(route=WITH_BODY[0], data=b"\xef\xbb\xbf{}", content_type=TYPES[0])
def test_no_bytes_break_an_operation(
    root_api: Api, route: Route, data: bytes, content_type: str
) -> None:
    check(root_api.call(route.method, route.path(), data=data, content_type=content_type))


@settings(max_examples=300)
@given(
    route=st.sampled_from([route for route in OPERATIONS if route.method == "GET"]),
    pairs=st.lists(
        st.tuples(
            st.sampled_from(KNOWN) | st.text(max_size=8).map(quote),
            st.binary(max_size=12).map(quote) | st.text(max_size=12).map(quote) | st.just("1"),
        ),
        max_size=4,
    ),
)
def test_no_query_breaks_an_operation(
    root_api: Api, route: Route, pairs: list[tuple[str, str]]
) -> None:
    query = "&".join(f"{name}={value}" for name, value in pairs)
    check(root_api.call("GET", f"{route.path()}?{query}"))


@settings(max_examples=100)
@given(query=st.binary(max_size=40))
def test_no_bytes_in_a_query_break_the_list(root_api: Api, query: bytes) -> None:
    environ = {"QUERY_STRING": query.decode("latin-1")}
    check(root_api.call("GET", "/tasks", environ_overrides=environ))


@settings(max_examples=200)
@given(
    route=st.sampled_from(WITH_IDS),
    made_up=st.text(max_size=20).map(lambda text: quote(text, safe=""))
    | st.binary(max_size=20).map(lambda raw: quote(raw, safe=""))
    | st.uuids().map(str)
    | st.uuids().map(lambda value: value.hex),
)
def test_made_up_id_is_of_nothing(root_api: Api, route: Route, made_up: str) -> None:
    variables = dict.fromkeys(("task_id", "comment_id", "user_id", "token_id", "username"), made_up)
    answer = root_api.call(route.method, route.path(variables), json={"title": "x", "body": "x"})
    check(answer)
    # A slash may turn the path into another route, and a double slash redirects to a single one.
    assert answer.status_code in (404, 405, 422, 308) or made_up in ("", ".", "..")


@settings(max_examples=200)
@given(
    name=st.sampled_from(HEADERS),
    value=st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=40),
)
@pytest.mark.parametrize("method", ["GET", "PATCH", "POST"])
def test_no_header_breaks_an_operation(root_api: Api, method: str, name: str, value: str) -> None:
    path = "/tasks" if method == "POST" else "/users/me"
    check(root_api.call(method, path, json={}, headers={name: value}))
