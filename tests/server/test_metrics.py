"""GET /metrics: access by token, and right figures across all processes."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import given, strategies as st
from sqlalchemy import PoolProxiedConnection, QueuePool, create_engine, event
from werkzeug.test import TestResponse

import config
from app.metrics import figures
from app.models import OutboxEntry
from app.models.types import now
from app.product import SLUG
from app.services.outbox import outbox
from tests.conftest import MakeApp
from tests.server.test_probes import NOBODY_THERE
from tests.support.answers import slug_of
from tests.support.clients import Api
from tests.support.databases import close, make_app
from tests.support.gunicorn_server import Server, environ, running, until
from tests.support.metrics import ABOUT, TOKEN, scrape, value
from tests.support.rows import rows, set_values


@pytest.fixture
def metered(other_app: MakeApp) -> Flask:
    return other_app(METRICS_TOKEN=TOKEN)


def ask(app: Flask, authorization: str = f"Bearer {TOKEN}") -> TestResponse:
    return app.test_client().get("/metrics", headers={"Authorization": authorization})


def test_there_are_none_while_no_token_is_set(app: Flask) -> None:
    assert slug_of(ask(app)) == (404, "not-found")
    assert slug_of(ask(app, "Bearer ")) == (404, "not-found")


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer ", "Bearer wrong", f"Basic {TOKEN}", "Bearer \xe9"]
)
def test_nobody_else_is_told(metered: Flask, authorization: str) -> None:
    answer = ask(metered, authorization)
    assert slug_of(answer) == (401, "unauthorized")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_request_is_counted_under_its_pattern(metered: Flask) -> None:
    client, series = metered.test_client(), ABOUT.replace("/about", "/users/<username>")
    series = series.replace("2xx", "3xx")
    before = value(ask(metered).text, series)
    for name in ("ann", "bob"):
        client.get(f"/users/{name}")
    text = ask(metered).text
    assert value(text, series) == before + 2
    assert "/users/ann" not in text


def test_what_a_client_makes_up_makes_no_new_series(metered: Flask) -> None:
    ask(metered)
    metered.test_client().open("/nowhere/at/all", method="BREW")
    text = ask(metered).text
    assert "BREW" not in text
    assert "nowhere" not in text
    assert 'method="other",route="",status="4xx"' in text


def test_nothing_is_in_flight_once_all_is_answered(metered: Flask) -> None:
    client, before = metered.test_client(), figures.in_flight.collect()
    for path in ("/about", "/static/app.css", "/nowhere", "/readyz"):
        with client.get(path, buffered=True):
            pass
    assert figures.in_flight.collect() == before
    text = ask(metered).text
    assert value(text, f"{SLUG}_database_connections_in_use") == 0
    assert value(text, f"{SLUG}_database_connections_max") == 8


class Connections:
    """The possible events of a pool's connections."""

    def __init__(self) -> None:
        self.engine = create_engine("sqlite://", poolclass=QueuePool, pool_size=1000)
        self.held: list[PoolProxiedConnection] = []
        figures.watch(self.engine, 1000)

    def take(self) -> None:
        self.held.append(self.engine.raw_connection())

    def fail_to_connect(self) -> None:
        event.listen(self.engine, "do_connect", self._refuse)
        with suppress(sqlite3.OperationalError):
            self.take()
        event.remove(self.engine, "do_connect", self._refuse)

    @staticmethod
    def _refuse(*_: object) -> None:
        raise sqlite3.OperationalError

    def dispose(self) -> None:
        self.engine.dispose()

    def release(self) -> None:
        if self.held:
            self.held.pop().close()

    def invalidate(self) -> None:
        if self.held:
            self.held.pop().invalidate()

    def detach(self) -> None:
        if self.held:
            self.held.pop().detach()


EVENTS = ("take", "fail_to_connect", "dispose", "release", "invalidate", "detach")


@given(events=st.lists(st.sampled_from(EVENTS)))
def test_connections_in_use_are_those_that_are_held(events: list[str]) -> None:
    def in_use() -> float:
        (family,) = figures.connections.collect()
        return float(family.samples[0].value)

    connections = Connections()
    for event_ in events:
        getattr(connections, event_)()
        assert in_use() == len(connections.held)
    for connection in connections.held:
        connection.close()
    assert in_use() == 0


def test_request_that_ends_twice_is_counted_once() -> None:
    before = figures.in_flight.collect()
    body: Any = figures.Middleware(lambda *_: [b"", b""])({}, lambda *_: lambda _data: None)
    body.close()
    body.close()
    assert figures.in_flight.collect() == before


def test_request_that_never_got_an_answer_is_in_flight_no_more() -> None:
    def broken(_environ: object, _start: object) -> list[bytes]:
        raise ZeroDivisionError

    before = figures.in_flight.collect()
    with pytest.raises(ZeroDivisionError):
        figures.Middleware(broken)({}, lambda *_: lambda _data: None)
    assert figures.in_flight.collect() == before


def test_sign_ins_are_counted_by_their_outcome(metered: Flask, ann: object) -> None:
    def counted() -> tuple[float, float]:
        text = ask(metered).text
        accepted, refused = (
            value(text, f'{SLUG}_sign_ins_total{{outcome="{outcome}"}}')
            for outcome in ("accepted", "refused")
        )
        return accepted, refused

    before = counted()
    client = Api(metered)
    client.post("/auth/login", {"identifier": "ann", "password": "wrong plums"})
    client.post("/auth/login", {"identifier": "ann", "password": "seven plums and a pear"})
    after = counted()
    assert (after[0] - before[0], after[1] - before[1]) == (1, 1)


def test_outbox_is_told_as_it_is(metered: Flask) -> None:
    with metered.app_context():
        for number in range(3):
            outbox.add("mail", "greeting", {"number": number})
        set_values(OutboxEntry, rows(OutboxEntry)[0].id, status="dead", finished_at=now())
    text = ask(metered).text
    assert value(text, f"{SLUG}_outbox_due") == 2
    assert value(text, f"{SLUG}_outbox_dead") == 1
    assert 0 <= value(text, f"{SLUG}_outbox_oldest_due_seconds") < 60


def test_database_that_is_away_is_told_too() -> None:
    app = make_app(NOBODY_THERE, METRICS_TOKEN=TOKEN)
    text = ask(app).text
    close(app)
    assert value(text, f"{SLUG}_database_up") == 0
    assert f"{SLUG}_http_request" in text


def test_alerts_in_the_manual_name_what_there_is(metered: Flask) -> None:
    manual = (config.ROOT / "docs/operations.md").read_text()
    named = set(re.findall(rf"\b({SLUG}_[a-z_]+?)(?:_bucket|_count)?\b(?![_./])", manual))
    told_of = set(re.findall(r"^# TYPE (\w+)", ask(metered).text, re.MULTILINE))
    assert named - {f"{SLUG}_web"} <= told_of  # a role of the database
    assert len(named) > 5


def test_library_is_not_loaded_without_need() -> None:
    command = [sys.executable, "-c", "import run, sys; print('prometheus_client' in sys.modules)"]
    for token, loaded in (("", b"False"), (TOKEN, b"True")):
        settings = environ(METRICS_TOKEN=token, DATABASE_URL="sqlite:////dev")
        done = subprocess.run(command, cwd=config.ROOT, env=settings, capture_output=True)
        assert done.stdout.strip() == loaded, done.stderr


def children(server: Server) -> list[int]:
    pid = server.process.pid
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in listed.split()]


def folder_of(server: Server) -> Path:
    """Return the folder of the workers' metrics, from the memory map of a worker."""
    maps = [Path(f"/proc/{child}/maps") for child in children(server)]
    mapped = "".join(path.read_text() for path in maps if path.exists())  # a process may be ending
    found = re.search(r" (/.*)/gauge_\w+\.db$", mapped, re.MULTILINE)
    assert found is not None
    return Path(found[1])


def test_all_workers_are_told_together_and_nothing_is_lost_when_they_change(
    tmp_path: Path,
) -> None:
    with running(tmp_path, METRICS_TOKEN=TOKEN) as server:
        until(lambda: value(scrape(server), f"{SLUG}_database_connections_max") == 16)
        for _ in range(20):
            server.get("/about")
        assert value(scrape(server), ABOUT) == 20

        server.process.send_signal(signal.SIGHUP)
        until(lambda: server.starts() == 2)
        killed = children(server)[-1]
        os.kill(killed, signal.SIGKILL)
        until(lambda: killed not in children(server))
        for _ in range(20):
            server.get("/about")
        until(lambda: value(scrape(server), f"{SLUG}_database_connections_max") == 16)
        assert value(scrape(server), ABOUT) == 40
        # The scraping connection; the end of the previous one may not be counted yet.
        until(lambda: value(scrape(server), f"{SLUG}_http_requests_in_flight") == 1)
        folder = folder_of(server)
        assert folder.stat().st_mode & 0o077 == 0
        assert server.stop() == 0
    assert not folder.exists()
