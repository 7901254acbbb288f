"""Timeouts on the client's side for a PostgreSQL that does not answer.

The server cancels a slow statement itself (`statement_timeout`), but not if the server is frozen
or the network drops packets. TCP's timeouts do not help if the server's kernel acknowledges every
packet. So the client records the deadline of each running statement, and a thread shuts the
connection of an overdue one, which makes the driver fail. (psycopg2's wait callback would need two
calls and five switches of the GIL for each statement: a twelfth of a request's CPU.)

While the database is unreachable, one connection attempt at a time tests the database, and all
others fail at once: else every request would wait for its own timeout.
"""

import math
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import partial
from typing import Any

import psycopg2
import psycopg2.extensions
from sqlalchemy import Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection, Dialect

# All in seconds. STATEMENT is a little longer than the server's own limit.
STATEMENT = 5.0
CONNECT = 2  # libpq accepts whole seconds, at least two
PAUSE = 0.3  # between two attempts to reach an unreachable database
TICK = 0.1  # between two looks at the running statements
_limit: ContextVar[float | None] = ContextVar("limit", default=STATEMENT)


class ConnectGate:
    """A limit for connection attempts: none until a failure, then one at a time."""

    def __init__(self) -> None:
        self._failed_at: float | None = None
        self._probing = threading.Lock()

    def failed(self) -> None:
        self._failed_at = time.monotonic()

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Surround a connection attempt. Raises OperationalError within PAUSE seconds of a failure
        and while another attempt tests the database."""
        failed_at = self._failed_at
        if failed_at is None:
            yield
            return
        if time.monotonic() - failed_at < PAUSE or not self._probing.acquire(blocking=False):
            raise psycopg2.OperationalError("The database was away a moment ago.")
        try:
            yield
            self._failed_at = None
        finally:
            self._probing.release()


class Watchdog:
    """A thread in each process that shuts connections with overdue statements."""

    def __init__(self) -> None:
        self._running: dict[Connection, float] = {}
        self._lock = threading.Lock()
        self._process = 0

    def begin(self, connection: "Connection", seconds: float) -> None:
        self._running[connection] = time.monotonic() + seconds

    def end(self, connection: "Connection") -> None:
        with self._lock:  # not while _shut uses its file number, which may soon be another's
            self._running.pop(connection, None)

    def start(self) -> None:
        """Start the thread, again after a fork: a child process has only the forking thread."""
        with self._lock:
            if self._process != os.getpid():
                self._process = os.getpid()
                self._running.clear()
                threading.Thread(target=self._look, name="deadline", daemon=True).start()

    def _look(self) -> None:
        while True:
            time.sleep(TICK)
            for connection, ends in list(self._running.items()):
                if ends < time.monotonic():
                    self._shut(connection)

    def _shut(self, connection: "Connection") -> None:
        with self._lock:
            if self._running.get(connection, math.inf) > time.monotonic():
                return  # the statement has just ended
            del self._running[connection]
            if connection.gate:
                connection.gate.failed()
            with suppress(OSError), socket.socket(fileno=os.dup(connection.fileno())) as shut:
                shut.shutdown(socket.SHUT_RDWR)


class Cursor(psycopg2.extensions.cursor):
    def execute(self, query: Any, vars: Any = None) -> None:
        limit = _limit.get()
        if limit is None:
            return super().execute(query, vars)
        connection: Connection = self.connection  # type: ignore[assignment]
        _watch.begin(connection, limit)
        try:
            return super().execute(query, vars)
        finally:
            _watch.end(connection)


class Connection(psycopg2.extensions.connection):
    """A connection whose statements are watched, with the gate that opened the connection."""

    gate: ConnectGate | None = None

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.cursor_factory = Cursor
        # The names of the prepared statements of this connection (app.sql.prepared).
        self.prepared: set[str] = set()

    def _watched(self, end: Any) -> None:
        _watch.begin(self, STATEMENT)
        try:
            end()
        finally:
            _watch.end(self)

    def commit(self) -> None:
        self._watched(super().commit)

    def rollback(self) -> None:
        self._watched(super().rollback)


_watch = Watchdog()


def init_app(engine: Engine) -> None:
    event.listen(engine, "do_connect", partial(_connect, ConnectGate()))


@contextmanager
def statement_timeout(seconds: float | None) -> Iterator[None]:
    """Limit each statement to `seconds`; None for no limit."""
    token = _limit.set(seconds)
    try:
        yield
    finally:
        _limit.reset(token)


def _connect(
    gate: ConnectGate,
    dialect: Dialect,
    _record: object,
    args: tuple[Any, ...],
    params: dict[str, Any],
) -> DBAPIConnection:
    _watch.start()
    params = {**params, "connection_factory": Connection, "connect_timeout": CONNECT}
    with gate.attempt():
        try:
            connection = dialect.connect(*args, **params)
        except psycopg2.Error:
            gate.failed()
            raise
    connection.gate = gate
    return connection
