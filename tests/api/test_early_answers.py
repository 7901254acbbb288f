"""An answer before the body is read is not lost, and neither is the next request."""

import http.client
import json
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from app.web import request_bodies
from tests.support.gunicorn_server import (
    HOST,
    PATIENCE,
    Server,
    needs_our_worker,
    read,
    running,
)

JSON = {"Content-Type": "application/json"}
TEXT = {"Content-Type": "text/plain"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
TOKEN = {"Authorization": "Bearer fst_unknown"}
WORKERS = ("", "--worker-class=gthread")
KB, MB = 1000, 2**20


class Case(NamedTuple):
    status: int
    method: str
    path: str
    headers: dict[str, str]


CASES = [
    Case(200, "GET", "/healthz", JSON),
    Case(200, "GET", "/about", {}),
    Case(302, "GET", "/tasks", FORM),
    Case(400, "POST", "/api/v1/tasks", {"Host": "elsewhere.example"}),
    Case(400, "POST", "/api/v1/auth/login", {**JSON, "Idempotency-Key": "a"}),
    Case(400, "POST", "/auth/login", {**FORM, "Sec-Fetch-Site": "cross-site"}),
    Case(401, "POST", "/api/v1/tasks", JSON),
    Case(401, "PATCH", "/api/v1/users/me", {**JSON, **TOKEN}),
    Case(401, "POST", "/api/v1/tasks/import", {"Content-Type": "text/csv"}),
    Case(404, "POST", "/api/v1/nowhere", JSON),
    Case(404, "POST", "/nowhere", FORM),
    Case(405, "PUT", "/api/v1/tasks", JSON),
    Case(405, "PUT", "/about", FORM),
    Case(405, "POST", "/static/app.css", FORM),
    Case(415, "POST", "/api/v1/auth/login", TEXT),
]
LARGE = [
    Case(413, "POST", "/api/v1/auth/login", JSON),
    Case(413, "POST", "/auth/login", FORM),
    Case(401, "POST", "/api/v1/tasks", JSON),
]


@pytest.fixture(scope="module", params=WORKERS)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """The server with our worker or with Gunicorn's own."""
    with running(tmp_path_factory.mktemp("early"), GUNICORN_CMD_ARGS=request.param) as server:
        yield server


def pieces(size: int) -> Iterator[bytes]:
    for _ in range(0, size, 10 * KB):
        yield b"x" * (10 * KB)


def ask(server: Server, case: Case, size: int, *, chunked: bool) -> tuple[int, bool, int]:
    """Return the status, True if the server announces to close, and the status of the next request,
    which the client sends on the same connection unless the server announces to close."""
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    body = json.dumps("x" * (size - 2)).encode()
    client.request(
        case.method,
        case.path,
        pieces(size) if chunked else body,
        case.headers,
        encode_chunked=chunked,
    )
    answer = client.getresponse()
    answer.read()
    closed = client.sock is None
    client.request("GET", "/healthz")
    following = client.getresponse()
    following.read()
    client.close()
    return answer.status, closed, following.status


@pytest.mark.parametrize("expect", [{}, {"Expect": "100-continue"}])
@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_connection_goes_on_after_an_early_answer(
    server: Server, case: Case, chunked: bool, expect: dict[str, str]
) -> None:
    sent = case._replace(headers={**case.headers, **expect})
    if chunked:
        sent.headers["Transfer-Encoding"] = "chunked"
    assert ask(server, sent, 100 * KB, chunked=chunked) == (case.status, False, 200)


@pytest.mark.parametrize("size", [MB + 1, 3 * MB, 12 * MB])
@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("case", LARGE)
def test_large_body_is_read_to_its_end(
    server: Server, case: Case, chunked: bool, size: int
) -> None:
    sent = case._replace(headers=dict(case.headers))
    if chunked:
        sent.headers["Transfer-Encoding"] = "chunked"
    assert ask(server, sent, size, chunked=chunked) == (case.status, False, 200)


@pytest.fixture(scope="module")
def own_worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with our worker and a limit of one request a minute."""
    with running(tmp_path_factory.mktemp("own"), RATELIMIT_DEFAULT="1 per minute") as server:
        server.get("/about")
        yield server


@pytest.mark.parametrize("size", [100 * KB, 3 * MB])
@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(("path", "headers"), [("/api/v1/auth/login", JSON), ("/auth/login", FORM)])
def test_connection_goes_on_after_too_many_requests(
    own_worker: Server, path: str, headers: dict[str, str], chunked: bool, size: int
) -> None:
    case = Case(429, "POST", path, headers)
    statuses = {ask(own_worker, case, size, chunked=chunked) for _ in range(2)}
    assert (429, False, 200) in statuses


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(
    "case",
    [
        Case(401, "POST", "/api/v1/tasks", JSON),
        Case(404, "POST", "/nowhere", FORM),
        Case(400, "POST", "/api/v1/tasks", {"Idempotency-Key": "a\x7fb"}),
        Case(417, "POST", "/about", {"Expect": "tea"}),
    ],
)
@needs_our_worker("resets the connection of a client that still sends")
def test_answer_to_a_body_beyond_all_limits_arrives_and_says_that_it_is_the_last(
    own_worker: Server, case: Case, chunked: bool
) -> None:
    size = request_bodies.REST_MAX + MB
    status, closed, following = ask(own_worker, case, size, chunked=chunked)
    assert (closed, following) == (True, 200)
    assert status in (case.status, 429)


@pytest.mark.parametrize(
    "body",
    [
        b"Content-Length: 100\r\n\r\n{",
        b"Transfer-Encoding: chunked\r\n\r\n5\r\n{",
        b"Transfer-Encoding: chunked\r\n\r\nno size\r\n",
    ],
)
@needs_our_worker("does not send the Connection: close of the app")
def test_client_that_does_not_send_its_body_is_answered(own_worker: Server, body: bytes) -> None:
    with own_worker.connect() as connection:
        connection.sendall(b"PUT /healthz HTTP/1.1\r\n" + HOST + body)
        answer = read(connection)
    assert (answer.status, answer.headers["connection"]) == (405, "close")


def test_next_request_may_come_with_the_body(own_worker: Server) -> None:
    with own_worker.connect() as connection:
        body = b"Content-Length: 4\r\n\r\nbody"
        health = b"GET /healthz HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
        connection.sendall(b"PUT /healthz HTTP/1.1\r\n" + HOST + body + health)
        answers = b""
        while data := connection.recv(65536):
            answers += data
    assert answers.count(b"HTTP/1.1 405 ") == answers.count(b"HTTP/1.1 200 ") == 1
