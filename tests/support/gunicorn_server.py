"""A real Gunicorn on a free port, with SQLite, and raw sockets as clients.

The variable WEB_WORKER_CLASS selects its worker: `WEB_WORKER_CLASS=gthread pytest tests/server`
runs the same tests under Gunicorn's own worker, and skips those that need ours.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

import config
from tests.support import leaks
from tests.support.databases import close, make_app, migrate

PATIENCE = 30  # seconds; one or two are usual
GUNICORN = ["-m", "gunicorn"]
COMMAND = [sys.executable, *GUNICORN, "run:app"]
HOST = b"Host: localhost\r\n"
SIGN_IN = b"POST /api/v1/auth/login HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\n"
WORKER_CLASS = os.environ.get("WEB_WORKER_CLASS") or "app"
WRONG = b'{"identifier": "nobody", "password": "seven plums and a pear"}'


def needs_our_worker(reason: str) -> pytest.MarkDecorator:
    """Skip a test under Gunicorn's own worker; `reason` describes that worker's behaviour."""
    return pytest.mark.skipif(WORKER_CLASS == "gthread", reason=f"gthread {reason}")


class Server:
    """The server in `process`, which writes its log to `log`."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self.process, self.port, self.log = process, port, log

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def ask(self, request: bytes, *, cut_off: bool = False) -> "Answer":
        """Send bytes and return the answer. `cut_off`: shut the sending side first."""
        with self.connect() as connection:
            connection.sendall(request)
            if cut_off:
                connection.shutdown(socket.SHUT_WR)
            return read(connection)

    def get(self, path: str, *headers: str) -> "Answer":
        lines = [f"GET {path} HTTP/1.1", "Host: localhost", *headers, "Connection: close"]
        return self.ask("\r\n".join([*lines, "", ""]).encode())

    def lines(self) -> list[dict[str, Any]]:
        """Return the log lines. Every line is a JSON object, Gunicorn's own too."""
        complete, _, _begun = self.log.read_text().rpartition("\n")
        return [json.loads(line) for line in complete.splitlines()]

    def starts(self) -> int:
        return sum("Listening at" in line.get("message", "") for line in self.lines())

    def listens(self) -> bool:
        with suppress(OSError), self.connect():
            return True
        return False

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


class Answer:
    def __init__(self, data: bytes) -> None:
        head, _, self.body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        self.status = int(first.split()[1])
        self.headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines)
        }


def read(connection: socket.socket) -> Answer:
    """Read until the server closes the connection or the announced length is complete."""
    data = b""
    while chunk := connection.recv(65536):
        data += chunk
        if b"\r\n\r\n" in data:
            answer = Answer(data)
            if len(answer.body) >= int(answer.headers.get("content-length", sys.maxsize)):
                break
    return Answer(data)


def half_a_request(server: Server) -> tuple[socket.socket, bytes]:
    """Yield a request that a thread has begun to read, and the rest of its body. The
    answer to the whole is a 401."""
    connection = server.connect()
    length = f"Content-Length: {len(WRONG)}\r\nExpect: 100-continue\r\n\r\n"
    connection.sendall(SIGN_IN + length.encode())
    assert connection.recv(100).startswith(b"HTTP/1.1 100")
    connection.sendall(WRONG[:10])
    return connection, WRONG[10:]


def until(condition: Callable[[], bool], patience: float = PATIENCE) -> None:
    """Wait until `condition` is true, for at most `patience` seconds."""
    ends = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < ends, "it took too long"
        time.sleep(0.05)


def environ(**settings: str) -> dict[str, str]:
    """Return this process's environment without the service's settings. "" hides a .env file's."""
    names = {
        "APP_ENV": "testing",
        "SECRET_KEY": "0123456789abcdef-of-the-tests-alone",
        "DATABASE_URL": "",
        "PUBLIC_URL": "",
        "PROXY_HOPS": "",
        "LOG_FORMAT": "",
        "LOG_LEVEL": "",
        "BIND": "",
        "WEB_CONCURRENCY": "2",
        "WEB_THREADS": "",
        "WEB_WORKER_CLASS": WORKER_CLASS,
    }
    return {**os.environ, **names, **settings}


@contextmanager
def running(
    folder: Path, entry: str = "run:app", python: Path | str = sys.executable, **settings: str
) -> Iterator[Server]:
    """Run a server of the app `entry` with its database and log in `folder`."""
    url = f"sqlite:///{folder / 'served.db'}"
    app = make_app(url)
    migrate(app)
    close(app)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    log = folder / "log"
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [python, *GUNICORN, entry],
            cwd=config.ROOT,
            env=environ(DATABASE_URL=url, PORT=str(port), **settings),
            stderr=stderr,
        )
    server = Server(process, port, log)
    try:
        until(lambda: process.poll() is not None or server.listens())
        yield server
    finally:
        if process.poll() is None:
            server.stop()
        leaks.read(log)
