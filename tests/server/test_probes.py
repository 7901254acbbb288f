"""The probes of an orchestrator, and their cost."""

import logging
from collections.abc import Iterator
from logging.handlers import QueueHandler
from pathlib import Path
from queue import SimpleQueue

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.services.operations import readiness
from app.sql import request_connection
from tests.support.answers import slug_of
from tests.support.clients import SESSION_COOKIE
from tests.support.databases import close, make_app, migrate

LATER = "99991231235959"
NOBODY_THERE = "postgresql://nobody@127.0.0.1:1/nothing"


@pytest.fixture
def without_database() -> Iterator[Flask]:
    app = make_app(NOBODY_THERE)
    yield app
    close(app)


@pytest.fixture
def unmigrated(tmp_path: Path) -> Iterator[Flask]:
    app = make_app(f"sqlite:///{tmp_path / 'empty.db'}")
    yield app
    close(app)


def ask(app: Flask, path: str, method: str = "GET", **headers: str) -> TestResponse:
    return app.test_client().open(path, method=method, headers=headers)


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_probe_answers_for_any_host(app: Flask, path: str, method: str) -> None:
    answer = ask(app, path, method, Host="10.1.2.3:8000")
    assert answer.status_code == 200
    assert answer.get_json(silent=True) == ({"status": "ok"} if method == "GET" else None)


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/static/app.css"])
def test_no_session_is_opened_for_a_program_or_a_file(app: Flask, path: str) -> None:
    answer = ask(app, path, Cookie=f"{SESSION_COOKIE}=something")
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    assert "Cookie" not in answer.vary
    answer.close()


@pytest.mark.parametrize(
    ("path", "level"),
    [("/healthz", "DEBUG"), ("/readyz", "DEBUG"), ("/metrics", "DEBUG"), ("/about", "INFO")],
)
def test_probe_is_logged_at_a_level_of_its_own(
    app: Flask,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    path: str,
    level: str,
) -> None:
    """Probes every few seconds would hide the requests of users."""
    records: SimpleQueue[logging.LogRecord] = SimpleQueue()
    log = logging.getLogger("service.request")
    monkeypatch.setattr(log, "handlers", [QueueHandler(records)])
    caplog.set_level(logging.DEBUG, log.name)
    ask(app, path)
    assert (records.get_nowait().levelname, records.empty()) == (level, True)


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_another_method_is_a_problem_in_json(app: Flask, path: str) -> None:
    answer = ask(app, path, "POST")
    assert slug_of(answer) == (405, "method-not-allowed")
    assert "GET" in answer.headers["Allow"]


def test_health_needs_no_database(without_database: Flask) -> None:
    assert ask(without_database, "/healthz").status_code == 200


def test_not_ready_while_the_database_is_away(without_database: Flask) -> None:
    answer = ask(without_database, "/readyz")
    assert slug_of(answer) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert "cannot be reached" in answer.get_json()["detail"]


def test_not_ready_before_the_first_migration(unmigrated: Flask) -> None:
    answer = ask(unmigrated, "/readyz")
    assert slug_of(answer) == (503, "unavailable")
    detail = answer.get_json()["detail"]
    assert f"at revision none, not at {readiness.head()}: run flask db upgrade." in detail


@pytest.mark.parametrize(("revision", "status"), [("0000", 503), ("nonsense", 503), (LATER, 200)])
def test_ready_at_the_last_migration_or_a_later_one(
    unmigrated: Flask, revision: str, status: int
) -> None:
    migrate(unmigrated)
    assert ask(unmigrated, "/readyz").status_code == 200
    with unmigrated.app_context():
        request_connection().execute(f"UPDATE alembic_version SET version_num = '{revision}'")  # noqa: S608
    assert ask(unmigrated, "/readyz").status_code == status
