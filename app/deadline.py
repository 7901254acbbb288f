"""Keeps a request from waiting for a PostgreSQL that does not answer.

The server ends a slow statement itself (`statement_timeout`), if it runs: one that is frozen, or
behind a network that swallows packets, does not. Its kernel may acknowledge every packet, so that
TCP's time-outs do not help either. So the client looks at the clock too, through the callback that
psycopg2 offers for waiting; that costs a microsecond a statement.

While the database is away, one connection attempt at a time finds out whether it is back, and all
others fail at once: else every request would wait for a time-out of its own.
"""

import select
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any

import psycopg2
import psycopg2.extensions
from sqlalchemy import Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection, Dialect

# All in seconds. A statement gets a little longer than the server's own limits give it.
STATEMENT = 5.0
CONNECT = 2.0
PAUSE = 0.3  # between two attempts to reach a database that is away
_limit: ContextVar[float | None] = ContextVar("limit", default=STATEMENT)


class Gate:
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


class Connection(psycopg2.extensions.connection):
    """A connection that knows by which gate it came."""

    gate: Gate | None = None


def init_app(engine: Engine) -> None:
    psycopg2.extensions.set_wait_callback(_wait)
    event.listen(engine, "do_connect", partial(_connect, Gate()))


@contextmanager
def within(seconds: float | None) -> Iterator[None]:
    """Give each statement and connection attempt `seconds`, or as long as it takes (None)."""
    token = _limit.set(seconds)
    try:
        yield
    finally:
        _limit.reset(token)


def _connect(
    gate: Gate, dialect: Dialect, _record: object, args: tuple[Any, ...], params: dict[str, Any]
) -> DBAPIConnection:
    with gate.attempt():
        try:
            with within(CONNECT):
                connection = dialect.connect(*args, connection_factory=Connection, **params)
        except psycopg2.Error:
            gate.failed()
            raise
    connection.gate = gate
    return connection


def _wait(connection: psycopg2.extensions.connection) -> None:
    """Wait for the server's answer. When this raises, psycopg2 closes the connection."""
    limit = _limit.get()
    ends = None if limit is None else time.monotonic() + limit
    while (state := connection.poll()) != psycopg2.extensions.POLL_OK:
        poll = select.poll()
        reading = state == psycopg2.extensions.POLL_READ
        poll.register(connection, select.POLLIN if reading else select.POLLOUT)
        left = None if ends is None else max(ends - time.monotonic(), 0) * 1000
        if not poll.poll(left):
            if gate := getattr(connection, "gate", None):
                gate.failed()
            raise psycopg2.OperationalError("The database did not answer in time.")
