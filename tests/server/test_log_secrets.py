"""No line of the log holds the secret of a link, at any level, of any logger."""

import logging
import socket
from collections.abc import Iterator

import pytest
from flask import Flask

from app.logs import JsonFormatter, PlainFormatter
from tests.support.databases import Database
from tests.support.gunicorn_server import HOST, Server, running
from tests.support.live import served

# The second is a foreign secret, without prefix and with percent-encoding.
SECRETS = ("fst_" + "s3cReT" * 8 + "x", "hidden%2Dsecret")
CALLBACKS = [
    "/auth/openid/callback?state={}&code={}",
    "/auth/openid/callback/staff?state={}&code={}",
]
WORKERS = ("", "--worker-class=gthread")


@pytest.fixture(scope="module", params=WORKERS)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server at log level DEBUG, with our worker or with Gunicorn's own."""
    settings = {"LOG_LEVEL": "DEBUG", "GUNICORN_CMD_ARGS": request.param}
    with running(tmp_path_factory.mktemp("debug"), **settings) as server:
        yield server


def secret_paths(app: Flask) -> list[str]:
    """Return a path for each secret and each route with a secret in its path or query."""
    rules = [rule.rule for rule in app.url_map.iter_rules() if "token" in rule.arguments]
    paths = [rule.replace("<token>", "{}") for rule in rules] + CALLBACKS
    return [path.format(secret, secret) for path in paths for secret in SECRETS]


def requests(path: str) -> list[bytes]:
    """Return a valid request for the path, and one for each kind of fault."""
    target, host = path.encode(), HOST + b"Connection: close\r\n\r\n"
    proper = [
        method + b" " + target + b" HTTP/1.1\r\n" + host
        for method in (b"GET", b"HEAD", b"OPTIONS", b"POST", b"PUT", b"DELETE", b"BREW")
    ]
    return [
        *proper,
        b"GET " + target + b"/ HTTP/1.1\r\n" + host,
        b"GET /nowhere?next=" + target + b" HTTP/1.1\r\n" + host,
        b"GET http://localhost" + target + b" HTTP/1.1\r\n" + host,
        b"GET " + target + b" HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n",
        b"GET " + target + b" HTTP/1.1\r\nX Y: 1\r\n" + host,
        b"GET " + target + b" HTTP/1.1\r\nReferer: http://localhost" + target + b"\x7f\r\n" + host,
        b"GET " + target + b" HTTP/1.1\r\n" + target + b"\r\n" + host,
        b"GET " + target + b"?" + b"x" * 9000 + b" HTTP/1.1\r\n" + host,
        b"GET " + target + b" HTTP/9.9\r\n" + host,
        b"GET\t" + target + b" HTTP/1.1\r\n" + host,
        b"get " + target + b" HTTP/1.1\r\n" + host,
        b"GET " + target + b"\r\n\r\n",
        b"GET " + target,
        b"GET " + target + b" HTTP/1.1\r\n" + HOST,
    ]


def send(port: int, request_: bytes) -> None:
    """Send the request, and wait until the server closes the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(request_)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass


def test_no_line_of_the_server_holds_a_secret(server: Server, sqlite_database: Database) -> None:
    paths = secret_paths(sqlite_database.app)
    assert len(paths) >= 8
    for path in paths:
        for request_ in requests(path):
            send(server.port, request_)
    assert server.stop() == 0
    log = server.log.read_text()
    assert log.count("\n") > 100
    assert [line for line in log.splitlines() if any(secret in line for secret in SECRETS)] == []


def test_no_line_of_the_development_server_holds_a_secret(
    sqlite_database: Database, capfd: pytest.CaptureFixture[str]
) -> None:
    with served(sqlite_database.app) as port:
        for path in secret_paths(sqlite_database.app):
            for request_ in requests(path):
                send(port, request_)
    log = capfd.readouterr().err
    assert "code 505" in log
    assert not any(secret in log for secret in SECRETS)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"GET /auth/reset/{SECRETS[1]}?a=1 HTTP/1.1", "GET /auth/reset/... HTTP/1.1"),
        (f"'http://x/auth/invite/{SECRETS[1]}/'", "'http://x/auth/invite/...'"),
        (f"b'/callback?code={SECRETS[1]}'", "b'/callback?...'"),
        (f"the token {SECRETS[0]}.", "the token fst_...."),
        ("GET /auth/forgot, /tasks: shown?", "GET /auth/forgot, /tasks: shown?"),
    ],
)
@pytest.mark.parametrize("formatter", [JsonFormatter(), PlainFormatter()])
def test_secret_in_any_message_or_traceback_is_left_out(
    formatter: logging.Formatter, text: str, shown: str
) -> None:
    error = ValueError(text)
    record = logging.makeLogRecord(
        {"msg": "said %s", "args": (text,), "exc_info": (ValueError, error, None)}
    )
    line = formatter.format(record)
    assert f"said {shown}" in line
    assert f"ValueError: {shown}" in line
