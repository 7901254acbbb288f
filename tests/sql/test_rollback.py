"""An older release works on a database that a newer one has migrated, and migrates nothing."""

import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import inspect, text

import config
from app.extensions import db
from app.services.operations import readiness
from tests.server.test_probes import LATER
from tests.sql import test_migrations
from tests.support.clients import Api
from tests.support.databases import MIGRATIONS, close, make_app, migrate
from tests.support.gunicorn_server import environ
from tests.support.leaks import lines as logged

url = test_migrations.url
COMPOSE = (config.ROOT / "docker-compose.yml").read_text()


@pytest.fixture
def rolled_back(url: str) -> Iterator[Flask]:
    """This release on the database of a later one."""
    app = make_app(url)
    migrate(app)
    set_revision(app, LATER)
    yield app
    close(app)


def set_revision(app: Flask, revision: str) -> None:
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :r"), {"r": revision})


def schema(app: Flask) -> dict[str, list[str]]:
    with app.app_context():
        inspector = inspect(db.engine)
        names = inspector.get_table_names()
        return {name: [c["name"] for c in inspector.get_columns(name)] for name in names}


def flask(url: str, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "flask", *args],
        cwd=config.ROOT,
        env=environ(DATABASE_URL=url),
        capture_output=True,
        text=True,
        check=False,
    )


def test_upgrade_of_an_older_release_ends_with_0_and_says_why(rolled_back: Flask, url: str) -> None:
    before = schema(rolled_back)
    done = flask(url, "db", "upgrade")
    assert done.returncode == 0, done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert LATER in done.stderr
    assert readiness.head() in done.stderr
    assert schema(rolled_back) == before
    with rolled_back.app_context():
        assert readiness.revision() == LATER


def test_compose_goes_on_with_an_older_release(rolled_back: Flask, url: str) -> None:
    """Compose starts the service if the migration job ends with 0."""
    assert "migrate: {condition: service_completed_successfully}" in COMPOSE
    job = re.search(
        r"^  migrate:$.*?^    command: \[flask, ([^]]+)\]$", COMPOSE, re.MULTILINE | re.DOTALL
    )
    assert job is not None
    assert flask(url, *job[1].split(", ")).returncode == 0


def test_older_release_serves_and_is_ready(rolled_back: Flask) -> None:
    assert Api(rolled_back).get("/tasks").status_code == 401
    assert rolled_back.test_client().get("/readyz").status_code == 200
    assert rolled_back.test_cli_runner().invoke(args=["doctor"]).exit_code == 0


def test_unknown_revision_that_is_no_later_one_is_refused(rolled_back: Flask, url: str) -> None:
    set_revision(rolled_back, "0000")
    done = flask(url, "db", "upgrade")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "0000" in done.stderr


@pytest.mark.parametrize("revision", ["heads", "head"])
def test_upgrade_called_by_a_program_passes_too(rolled_back: Flask, revision: str) -> None:
    with rolled_back.app_context():
        upgrade(directory=MIGRATIONS, revision=revision)
        assert readiness.revision() == LATER
    assert any("is later than" in line for line in logged)


def test_revisions_are_compared_as_numbers() -> None:
    assert not readiness.is_later("9999", "20261130091500")
    assert readiness.is_later("20261130091500", "9999")
    assert not readiness.is_later("later", "0004")


@pytest.mark.parametrize("command", ["upgrade", "current", "downgrade", "check"])
@pytest.mark.parametrize("away", ["postgresql://nobody:plums@127.0.0.1:1/none", "sqlite:////dev"])
def test_migrating_a_database_that_is_away_is_one_clear_line(command: str, away: str) -> None:
    done = flask(away, "db", command)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("Error: The database cannot be reached")
    assert "plums" not in line
