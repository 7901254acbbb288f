"""With a PostgreSQL that does not answer no request waits for long; its return is noticed."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from threading import Event, Thread

import psycopg2
import pytest
from flask import Flask

from app.errors import Unavailable
from app.sql import RequestConnection, request_connection, watchdog
from app.sql.watchdog import ConnectGate
from tests.support.databases import PostgresServer, close, make_app

SLEEP = "SELECT pg_sleep(60)"
GENEROUS = 20  # seconds, far less than the server sleeps


@pytest.fixture
def patient(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[RequestConnection]:
    """A connection to a server without a statement timeout."""
    monkeypatch.setattr(watchdog, "PAUSE", 0)
    app = make_app(postgres.url)
    with app.app_context():
        connection = request_connection()
        connection.execute("SET statement_timeout = 0")
        yield connection
    close(app)


@pytest.fixture
def frozen() -> Iterator[tuple[Flask, list[socket.socket]]]:
    """An app whose database accepts connections and never answers; and the connections."""
    came: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def take() -> None:
            with suppress(OSError):  # the server was shut down
                while True:
                    came.append(server.accept()[0])

        thread = Thread(target=take)
        thread.start()
        yield make_app(f"postgresql://nobody@127.0.0.1:{port}/nothing"), came
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
    for connection in came:
        connection.close()


def test_statement_without_an_answer_is_given_up(patient: RequestConnection) -> None:
    began = time.monotonic()
    with watchdog.statement_timeout(0.2), pytest.raises(Unavailable):
        patient.execute(SLEEP)
    assert time.monotonic() - began < GENEROUS


def test_next_statement_after_one_given_up_works(patient: RequestConnection) -> None:
    with watchdog.statement_timeout(0.2), pytest.raises(Unavailable):
        patient.execute("UPDATE pg_class SET relname = relname WHERE pg_sleep(60) IS NULL")
    assert patient.execute("SELECT 1").fetchone() == (1,)


def test_statement_may_take_as_long_as_it_takes_where_no_limit_is_set(
    patient: RequestConnection,
) -> None:
    with watchdog.statement_timeout(None):
        assert patient.execute("SELECT 1 FROM pg_sleep(0.1)").fetchone() == (1,)


def test_large_answer_comes_whole(patient: RequestConnection) -> None:
    (text,) = patient.execute("SELECT repeat('x', 5000000)").fetchone()
    assert len(text) == 5_000_000


def test_silent_server_is_unavailable(frozen: tuple[Flask, list[socket.socket]]) -> None:
    app, came = frozen
    answer = app.test_client().get("/readyz")
    assert (answer.status_code, len(came)) == (503, 1)


def test_one_tries_while_the_others_fail_at_once(
    frozen: tuple[Flask, list[socket.socket]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "PAUSE", GENEROUS)
    app, came = frozen
    statuses = [app.test_client().get("/readyz").status_code for _ in range(5)]
    assert (statuses, len(came)) == ([503] * 5, 1)


def test_gate_lets_all_pass_while_all_is_well() -> None:
    gate = ConnectGate()
    with gate.attempt(), gate.attempt():
        pass


def test_gate_lets_one_at_a_time_pass_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "PAUSE", 0)
    gate, inside, leave = ConnectGate(), Event(), Event()
    gate.failed()

    def probe() -> None:
        with gate.attempt():
            inside.set()
            leave.wait(GENEROUS)

    thread = Thread(target=probe)
    thread.start()
    assert inside.wait(GENEROUS)
    with pytest.raises(psycopg2.OperationalError), gate.attempt():
        pass
    leave.set()
    thread.join()
    with gate.attempt(), gate.attempt():  # the attempt succeeded
        pass


def test_gate_stays_shut_after_an_attempt_that_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "PAUSE", 0)
    gate = ConnectGate()
    gate.failed()
    with pytest.raises(ZeroDivisionError), gate.attempt():
        raise ZeroDivisionError
    with gate.attempt(), pytest.raises(psycopg2.OperationalError), gate.attempt():
        pass


def test_connection_outlives_a_statement_that_was_in_time(patient: RequestConnection) -> None:
    with watchdog.statement_timeout(0.2):
        before = patient.execute("SELECT pg_backend_pid()").fetchone()
    time.sleep(2 * watchdog.TICK + 0.2)
    assert patient.execute("SELECT pg_backend_pid()").fetchone() == before


def test_process_that_was_forked_keeps_its_own_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[str] = []
    monkeypatch.setattr(Thread, "start", lambda thread: started.append(thread.name))
    watch = watchdog.Watchdog()
    for process in (1, 1, 2):
        monkeypatch.setattr(os, "getpid", lambda process=process: process)
        watch.start()
    assert started == ["deadline", "deadline"]
