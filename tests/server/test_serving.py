"""The service under a real Gunicorn: refused requests, stop, and reload."""

import json
import signal
import subprocess
from collections.abc import Iterator

import pytest

import config
from tests.support.answers import PROBLEM
from tests.support.gunicorn_server import (
    COMMAND,
    HOST,
    PATIENCE,
    SIGN_IN,
    WRONG,
    Server,
    environ,
    half_a_request,
    needs_our_worker,
    read,
    running,
    until,
)

SECURITY_HEADERS = (
    "content-security-policy",
    "x-content-type-options",
    "x-frame-options",
    "referrer-policy",
    "permissions-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "cache-control",
    "x-request-id",
)
FORM = (
    b"POST /auth/login HTTP/1.1\r\n" + HOST + b"Content-Type: application/x-www-form-urlencoded\r\n"
)
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("served")) as server:
        yield server
        assert server.stop() == 0


@pytest.fixture
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that a test may stop."""
    with running(tmp_path_factory.mktemp("own")) as server:
        yield server


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"WEB_THREADS": "many", "PORT": "99999"}, ["PORT", "WEB_THREADS"]),
        ({"APP_ENV": "production", "SECRET_KEY": ""}, ["SECRET_KEY", "DATABASE_URL"]),
    ],
)
def test_faulty_settings_are_told_in_a_line_each(
    settings: dict[str, str], named: list[str]
) -> None:
    refused = subprocess.run(
        COMMAND,
        cwd=config.ROOT,
        env=environ(**settings),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert refused.returncode != 0
    assert [line.split()[0] for line in refused.stderr.splitlines()] == named


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/healthz", 200),
        ("/static/app.css", 200),
        ("/tasks", 302),
        ("/nowhere", 404),
        ("/static/nowhere", 404),
        ("/api/v1/tasks", 401),
        ("/api/nowhere", 404),
    ],
)
def test_every_answer_has_the_security_headers(server: Server, path: str, status: int) -> None:
    answer = server.get(path)
    assert answer.status == status
    assert [name for name in SECURITY_HEADERS if name not in answer.headers] == []
    assert not any(letter.isdigit() for letter in answer.headers["server"])


@pytest.mark.parametrize(
    "request_",
    [
        b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: elsewhere.example\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + b"Host: elsewhere.example\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + b"X-Folded: a\r\n b\r\n\r\n",
        SIGN_IN + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        SIGN_IN + b"Content-Length: 2\r\n" + CHUNKED + b"0\r\n\r\n",
        SIGN_IN + CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n",
        SIGN_IN + CHUNKED + b"2\r\n{}XX0\r\n\r\n",
        FORM + CHUNKED + b"-1\r\na=b\r\n0\r\n\r\n",
    ],
)
def test_broken_request_is_refused(server: Server, request_: bytes) -> None:
    assert server.ask(request_).status == 400


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /auth/reset/fst_hidden\r\n\r\n", 400),
        (b"GET /auth/reset/fst_hidden HTTP/9.9\r\n\r\n", 400),
        (b"GET\t/auth/reset/fst_hidden HTTP/1.1\r\n\r\n", 400),
        (b"GET /fst_hidden" + b"x" * 9000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\n" + HOST + b"X: fst_hidden\r\n" * 200 + b"\r\n", 431),
        (b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: fst_hidden\r\n\r\n", 501),
        (b"POST / HTTP/1.1\r\n" + HOST + b"Expect: fst_hidden\r\n\r\n", 417),
    ],
)
@needs_our_worker("refuses in its own words")
def test_what_is_no_request_is_refused_in_our_words(
    server: Server, request_: bytes, status: int
) -> None:
    answer = server.ask(request_)
    assert (answer.status, answer.headers["content-type"]) == (status, PROBLEM)
    assert [name for name in SECURITY_HEADERS if name not in answer.headers] == []
    assert json.loads(answer.body)["status"] == status
    (line,) = [
        line for line in server.lines() if line.get("request_id") == answer.headers["x-request-id"]
    ]
    assert (line["status"], line["address"]) == (status, "127.0.0.1")
    assert "fst_hidden" not in server.log.read_text() + answer.body.decode()


@pytest.mark.parametrize("length", [b"Content-Length: 100\r\n\r\n", CHUNKED + b"64\r\n"])
def test_body_that_ends_too_early_is_refused(server: Server, length: bytes) -> None:
    answer = server.ask(SIGN_IN + length + WRONG, cut_off=True)
    assert answer.status == 400
    assert answer.headers["content-type"] == PROBLEM


def test_nobody_is_believed_to_be_a_proxy(server: Server) -> None:
    forwarded = ("X-Forwarded-For: 203.0.113.9", "X-Forwarded-Host: elsewhere.example")
    assert server.get("/about", *forwarded).status == 200
    addresses = {line["address"] for line in server.lines() if line.get("route") == "/about"}
    assert addresses == {"127.0.0.1"}


def test_one_line_is_logged_for_a_request(server: Server) -> None:
    server.get("/about", "X-Request-ID: seen-once")
    seen = [line for line in server.lines() if line.get("request_id") == "seen-once"]
    assert [(line["route"], line["status"]) for line in seen] == [("/about", 200)]


@needs_our_worker("accepts connections until it has sent its last answer")
def test_request_in_flight_is_answered_before_the_server_stops(own_server: Server) -> None:
    connection, rest = half_a_request(own_server)
    with connection:
        own_server.process.send_signal(signal.SIGTERM)
        until(lambda: not own_server.listens())
        connection.sendall(rest)
        assert read(connection).status == 401
    assert own_server.process.wait(PATIENCE) == 0
