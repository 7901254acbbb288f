"""A database that refuses, disconnects or is unreachable gives the services known errors."""

import sqlite3
from contextlib import closing
from typing import Any

import psycopg2
import pytest
from flask import Flask
from sqlalchemy import insert

from app import sql
from app.errors import Invalid, Unavailable
from app.extensions import db
from app.models import USERS, AuditEvent, Task, User
from app.models.types import uuid7
from app.services.shared import audit
from app.services.shared.actor import Actor
from app.services.tasks import tasks
from app.services.users import registration, users
from app.sql import LostRace, MissingReference, Statement, UniqueViolation, atomic
from app.sql.engine import BUSY_TIMEOUT
from tests.conftest import PASSWORD
from tests.support.databases import PostgresServer, make_app
from tests.support.rows import rows


@pytest.mark.usefixtures("ctx")
def test_taken_name_is_a_duplicate_that_names_the_index(ann: Actor) -> None:
    again = Statement[User](insert(USERS))
    row = rows(User)[0]._asdict()
    with pytest.raises(UniqueViolation, match="uq_users_username"):
        again.run(**{**row, "id": uuid7(), "email": "other@example.com"})


@pytest.mark.usefixtures("ctx")
def test_reference_to_nobody_is_dangling() -> None:
    nobody = Actor(id="00000000-0000-7000-8000-000000000000")
    with pytest.raises(MissingReference) as caught:
        tasks.create(nobody, {"title": "x"})
    assert list(caught.value.fields) == ["owner_id"]
    assert (rows(Task), rows(AuditEvent)) == ([], [])


@pytest.mark.parametrize(
    ("state", "error"),
    [
        ("08006", Unavailable),
        ("25006", Unavailable),
        ("40001", LostRace),
        ("40P01", LostRace),
        ("53100", Unavailable),
        ("53300", Unavailable),
        ("55P03", Unavailable),
        ("57014", Unavailable),
        ("57P01", Unavailable),
        ("58030", Unavailable),
        ("22003", Invalid),
        ("23505", UniqueViolation),
        ("23503", psycopg2.Error),  # of a foreign key in no model
        ("23514", psycopg2.Error),
        ("42P01", psycopg2.Error),
    ],
)
def test_state_of_postgresql_is_put_in_our_words(
    postgres_app: Flask, state: str, error: type[Exception]
) -> None:
    raising = f"DO $$BEGIN RAISE EXCEPTION 'so' USING ERRCODE = '{state}'; END$$"
    with postgres_app.app_context():
        with pytest.raises(error) as caught:
            sql.request_connection().execute(raising)
        assert caught.type is error or error is psycopg2.Error
        assert users.is_empty()


def terminate(server: PostgresServer, pid: int) -> None:
    server.execute(f"SELECT pg_terminate_backend({pid}, 5000)")


def backend() -> int:
    cursor = sql.request_connection().execute("SELECT pg_backend_pid()")
    return int(cursor.fetchone()[0])


def test_next_read_after_a_cut_connection_works(
    postgres_app: Flask, postgres: PostgresServer
) -> None:
    with postgres_app.app_context():
        before = backend()
        terminate(postgres, before)
        assert users.is_empty()
        assert backend() != before


def test_next_use_case_after_a_cut_connection_works(
    postgres_app: Flask, postgres: PostgresServer
) -> None:
    with postgres_app.app_context():
        pid = backend()
    terminate(postgres, pid)
    with postgres_app.app_context():
        assert registration.register(Actor(), "ann", "ann@example.com", PASSWORD).username == "ann"


def test_use_case_whose_connection_is_cut_fails_whole_and_the_next_works(
    postgres_app: Flask, postgres: PostgresServer
) -> None:
    @atomic
    def cut() -> None:
        registration.register(Actor(), "ann", "ann@example.com", PASSWORD)
        terminate(postgres, backend())
        registration.register(Actor(), "bob", "bob@example.com", PASSWORD)

    with postgres_app.app_context():
        with pytest.raises(Unavailable):
            cut()
        assert users.is_empty()
        assert registration.register(Actor(), "ann", "ann@example.com", PASSWORD).username == "ann"


def test_write_on_a_cut_connection_is_not_repeated(
    postgres_app: Flask, postgres: PostgresServer
) -> None:
    write = Statement[User](insert(USERS))
    with postgres_app.app_context():
        registration.register(Actor(), "ann", "ann@example.com", PASSWORD)
        row = rows(User)[0]._asdict()
        terminate(postgres, backend())
        with pytest.raises(Unavailable):
            write.run(**{**row, "id": uuid7(), "username": "bob", "email": "bob@example.com"})
        assert len(rows(User)) == 1


@pytest.mark.parametrize("url", ["postgresql://nobody@127.0.0.1:1/none", "sqlite:////dev"])
def test_database_that_is_away_is_unavailable(url: str) -> None:
    with make_app(url).app_context(), pytest.raises(Unavailable):
        users.is_empty()


def test_exhausted_pool_is_unavailable(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    with app.app_context():
        pool: Any = db.engine.pool
        monkeypatch.setattr(pool, "_timeout", 0.01)
        held = [db.engine.raw_connection() for _ in range(pool.size())]
        with pytest.raises(Unavailable):
            users.is_empty()
        for one in held:
            one.close()
        assert users.is_empty()


def test_locked_sqlite_is_unavailable(request: pytest.FixtureRequest) -> None:
    database = request.getfixturevalue("sqlite_database")
    database.empty()
    with database.app.app_context():
        sql.request_connection().execute("PRAGMA busy_timeout = 10").close()
        with closing(sqlite3.connect(database.path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(Unavailable):
                audit.denied(Actor(), "x")
        audit.denied(Actor(), "x")
        sql.request_connection().execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT * 1000}").close()
