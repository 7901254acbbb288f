"""The worker answers every request of a connection, in order, and shares its threads."""

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.support.gunicorn_server import HOST, Server, read, running

ASK = b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"
LAST = b"GET /healthz HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
MANY = 50  # requests on each connection


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with one thread, which all connections share."""
    with running(tmp_path_factory.mktemp("one"), WEB_CONCURRENCY="1", WEB_THREADS="1") as server:
        yield server


def everything(connection: socket.socket) -> bytes:
    data = b""
    while chunk := connection.recv(65536):
        data += chunk
    return data


def test_connection_is_answered_again_and_again(server: Server) -> None:
    with server.connect() as connection:
        for _ in range(MANY):
            connection.sendall(ASK)
            assert read(connection).status == 200


def test_requests_sent_at_once_are_answered_in_turn(server: Server) -> None:
    with server.connect() as connection:
        wrong = b"GET /api/nowhere HTTP/1.1\r\n" + HOST + b"\r\n"
        connection.sendall(ASK + wrong + LAST)
        answers = everything(connection)
    assert re.findall(rb"HTTP/1\.1 (\d+)", answers) == [b"200", b"404", b"200"]


def test_busy_connection_leaves_the_thread_to_others(server: Server) -> None:
    """The busy connection never pauses, but all others are served before its end."""
    done, enough = threading.Event(), threading.Event()

    def ask_without_end() -> None:
        with server.connect() as busy:
            while not done.is_set():
                busy.sendall(ASK)
                assert read(busy).status == 200
                enough.set()

    asking = threading.Thread(target=ask_without_end)
    asking.start()
    try:
        assert enough.wait(10)
        with ExitStack() as stack:
            others = [stack.enter_context(server.connect()) for _ in range(5)]
            for connection in others * 10:
                connection.sendall(ASK)
                assert read(connection).status == 200
        assert asking.is_alive()
    finally:
        done.set()
        asking.join(10)


def test_clients_that_do_not_close_hold_up_nobody(server: Server) -> None:
    """Gunicorn's own worker waits 2 seconds for each client, in its main thread."""
    with ExitStack() as stack:
        for _ in range(8):
            connection = stack.enter_context(server.connect())
            connection.sendall(LAST)
            assert read(connection).status == 200
        connection = stack.enter_context(server.connect())
        connection.settimeout(8)
        connection.sendall(LAST)
        assert read(connection).status == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "has_body"),
    [
        ("GET", "/healthz", 200, True),
        ("HEAD", "/healthz", 200, False),
        ("GET", "/static/app.css", 200, True),
        ("HEAD", "/static/app.css", 200, False),
        ("GET", "/tasks", 302, True),
    ],
)
def test_whole_answer_arrives(
    server: Server, method: str, path: str, status: int, has_body: bool
) -> None:
    with server.connect() as connection:
        head = f"{method} {path} HTTP/1.1\r\nConnection: close\r\n".encode()
        connection.sendall(head + HOST + b"\r\n")
        header, _, body = everything(connection).partition(b"\r\n\r\n")
    lines = header.decode().lower().split("\r\n")
    length = next(int(line.split()[1]) for line in lines if line.startswith("content-length:"))
    assert lines[0].split()[1] == str(status)
    assert len(body) == (length if has_body else 0)
    assert len(lines) == len(set(lines))
