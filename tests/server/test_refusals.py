"""A request that Gunicorn refuses is answered and logged like any other."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from app.server import bad_requests
from tests.support.answers import PROBLEM
from tests.support.databases import make_app
from tests.support.gunicorn_server import HOST, Answer, Server, needs_our_worker, running

ORIGIN = "https://app.example.org"
ASKED = b"X-Request-ID: asked-for\r\nOrigin: " + ORIGIN.encode() + b"\r\n" + HOST
MISSING = b"00000000-0000-7000-8000-000000000000"
in_our_words = needs_our_worker("refuses in its own words")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("refusing"), CORS_ORIGINS=ORIGIN) as server:
        yield server


def ask(server: Server, request_: bytes) -> tuple[Answer, dict[str, Any], dict[str, Any]]:
    """Return the answer, its problem, and its one log line, found by the client's request id."""
    request_id = f"asked-for-{uuid4()}"
    answer = server.ask(request_.replace(b"asked-for", request_id.encode()))
    assert answer.headers["content-type"] == PROBLEM
    assert answer.headers["x-request-id"] == request_id
    (line,) = [line for line in server.lines() if line.get("request_id") == request_id]
    return answer, json.loads(answer.body), line


@pytest.mark.parametrize(
    ("method", "target", "fault", "status"),
    [
        (b"POST", b"/api/v1/tasks", b"Idempotency-Key: a\x7fb\r\n", 400),
        (b"GET", b"/api/v1/tasks?label=a", b"X Y: 1\r\n", 400),
        (b"GET", b"/api/v1/tasks/" + MISSING, b"no colon\r\n", 400),
        (b"GET", b"/api/v1/tasks", b"X-Folded: a\r\n b\r\n", 400),
        (b"GET", b"/api/v1/tasks?q=" + b"x" * 9000, b"", 414),
        (b"GET", b"/api/v1/tasks?q=" + b"x" * 30_000, b"", 414),
        (b"GET", b"/api/v1/tasks", b"X: 1\r\n" * 200, 431),
        (b"GET", b"/api/v1/tasks", b"X: " + b"1" * 9000 + b"\r\n", 431),
        (b"PATCH", b"/api/v1/tasks/" + MISSING, b"Expect: tea\r\n", 417),
        (b"PUT", b"/api/v1/nowhere", b"Transfer-Encoding: tea\r\n", 501),
        (b"POST", b"/api/v1/tasks", b"Content-Length: 2\r\nContent-Length: 3\r\n", 400),
        (b"DELETE", b"/api/v1/tasks", b"Content-Length: -1\r\n", 400),
        (b"BREW", b"/api/v1/tasks%20", b"Transfer-Encoding: gzip\r\n", 400),
    ],
)
@in_our_words
def test_refusal_is_like_any_other_answer(
    server: Server, method: bytes, target: bytes, fault: bytes, status: int
) -> None:
    answer, problem, line = ask(
        server, method + b" " + target + b" HTTP/1.1\r\n" + ASKED + fault + b"\r\n"
    )
    path = target.partition(b"?")[0].decode().replace("%20", " ")
    assert (answer.status, problem["status"], line["status"]) == (status, status, status)
    assert (problem["instance"], problem["request_id"]) == (path, line["request_id"])
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "X-Request-ID" in answer.headers["access-control-expose-headers"]
    assert answer.headers["connection"] == "close"
    routes = {"/api/v1/tasks": "/api/v1/tasks", MISSING.decode(): "/api/v1/tasks/<id:task_id>"}
    route = routes.get(path) or routes.get(path.rpartition("/")[2], "")
    knows = method in (b"GET", b"POST", b"PATCH")
    assert line["method"] == method.decode()
    assert line["route"] == (route if knows else "")
    assert line["milliseconds"] > 0
    assert line["address"] == "127.0.0.1"
    assert line["refused"]


@pytest.mark.parametrize(
    ("request_", "method", "status"),
    [
        (b"GET /about\r\n" + ASKED + b"\r\n", "GET", 400),
        (b"GET /about HTTP/9.9\r\n" + ASKED + b"\r\n", "GET", 400),
        (b"GET\t/about HTTP/1.1\r\n" + ASKED + b"\r\n", "", 400),
        (b"get /about HTTP/1.1\r\n" + ASKED + b"\r\n", "", 400),
        (b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\n" + ASKED + b"\r\n", "GET", 414),
        (b"GET about HTTP/1.1\r\n" + ASKED + b"\r\n", "GET", 400),
    ],
)
@in_our_words
def test_line_that_cannot_be_read_has_no_instance(
    server: Server, request_: bytes, method: str, status: int
) -> None:
    answer, problem, line = ask(server, request_)
    assert (answer.status, "instance" in problem) == (status, False)
    assert (line["method"], line["route"]) == (method, "")


@in_our_words
def test_page_that_is_refused_is_answered_in_json_too(server: Server) -> None:
    _, problem, line = ask(server, b"GET /about HTTP/1.1\r\nX Y: 1\r\n" + ASKED + b"\r\n")
    assert (problem["instance"], line["route"]) == ("/about", "/about")


@in_our_words
def test_refusal_of_a_head_request_has_no_body(server: Server) -> None:
    answer = server.ask(b"HEAD /about HTTP/1.1\r\nX Y: 1\r\n" + ASKED + b"\r\n")
    assert (answer.status, answer.body) == (400, b"")
    assert int(answer.headers["content-length"]) > 0


def test_client_that_never_ends_its_line_is_answered(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(b"GET /about?" + b"x" * 9000)
        answer = Answer(connection.recv(65536))
    assert answer.status == 414


@in_our_words
def test_refusal_behind_a_proxy_tells_the_address_of_the_client(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with running(tmp_path_factory.mktemp("proxied"), PROXY_HOPS="1") as server:
        forwarded = b"X-Forwarded-For: 203.0.113.9\r\n"
        _, _, line = ask(server, b"GET /about HTTP/1.1\r\nX Y: 1\r\n" + forwarded + ASKED + b"\r\n")
        assert line["address"] == "203.0.113.9"


def test_fault_of_ours_below_the_app_is_a_500() -> None:
    head = b"GET /api/v1/tasks?q=fst_hidden HTTP/1.1\r\n" + ASKED
    app = make_app("sqlite:////dev", PUBLIC_URL="https://localhost")
    answer = Answer(bad_requests.answer(app, RuntimeError("fst_hidden"), head, "192.0.2.1"))
    assert (answer.status, answer.headers["connection"]) == (500, "close")
    assert "strict-transport-security" in answer.headers
    assert (b"fst_hidden" in answer.body, b"/api/v1/tasks" in answer.body) == (False, True)
