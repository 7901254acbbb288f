"""Keeps a request from waiting for a PostgreSQL that does not answer.

The server ends a slow statement itself (`statement_timeout`), if it runs: one that is frozen, or
behind a network that swallows packets, does not. Its kernel may acknowledge every packet, so that
TCP's time-outs do not help either. So the client looks at the clock too: each statement is noted
with the moment at which it must have ended, and a thread shuts the connection of one that has not,
whereupon the driver fails. (psycopg2's callback for waiting would do as well, at two calls of it
and five hand-overs of the GIL a statement: a twelfth of a request's CPU.)

While the database is away, one connection attempt at a time finds out whether it is back, and all
others fail at once: else every request would wait for a time-out of its own.
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
from typing import Any, cast

import psycopg2
import psycopg2.extensions
from sqlalchemy import Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection, Dialect

# All in seconds. A statement gets a little longer than the server's own limits give it.
STATEMENT = 5.0
CONNECT = 2  # whole ones; libpq takes no less than two
PAUSE = 0.3  # between two attempts to reach a database that is away
TICK = 0.1  # between two looks at what is running
_limit: ContextVar[float | None] = ContextVar("limit", default=STATEMENT)


class ConnectGate:
    """Lets everybody pass while all is well, and one at a time after a failure."""

    def __init__(self) -> None:
        self._failed_at: float | None = None
        self._probing = threading.Lock()

    def failed(self) -> None:
        self._failed_at = time.monotonic()

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Surrounds an attempt to connect. Raises OperationalError where it is not its turn."""
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
    """Shuts connections whose statement has run too long. One thread in each process does it."""

    def __init__(self) -> None:
        self._running: dict[Connection, float] = {}
        self._lock = threading.Lock()
        self._process = 0

    def begin(self, connection: "Connection", seconds: float) -> None:
        self._running[connection] = time.monotonic() + seconds

    def end(self, connection: "Connection") -> None:
        with self._lock:  # not while it is being shut: its number may soon be another's
            self._running.pop(connection, None)

    def start(self) -> None:
        """No thread outlives a fork: the child starts its own."""
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
                return  # it has ended just now
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
        connection = cast(Connection, self.connection)
        _watch.begin(connection, limit)
        try:
            return super().execute(query, vars)
        finally:
            _watch.end(connection)


class Connection(psycopg2.extensions.connection):
    """A connection that knows by which gate it came, and whose statements are watched."""

    gate: ConnectGate | None = None

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self.cursor_factory = Cursor
        # The names of the statements that the server keeps for it (app.sql.prepared).
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
    """Give each statement `seconds`, or as long as it takes (None)."""
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
