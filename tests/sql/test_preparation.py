"""Prepared statements give the same results as others, also after PostgreSQL lost them."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg2
import pytest
from flask import Flask
from sqlalchemy import func, select

from app import sql
from app.extensions import db
from app.models import TASKS, Task
from app.services.shared.actor import Actor
from app.services.tasks import tasks
from app.sql import Statement
from app.sql.prepared import PreparedStatements, disable, is_refusal
from tests.conftest import MakePerson
from tests.support.databases import Database, close

COLUMN = "ALTER TABLE tasks ALTER COLUMN status TYPE"
LOSSES: dict[str, Callable[[], None]] = {
    "unknown": lambda: run("DEALLOCATE ALL"),
    "known already": lambda: held().clear(),
    "of another type": lambda: run(f"{COLUMN} text"),
}


@pytest.fixture
def app(postgresql_database: Database, monkeypatch: pytest.MonkeyPatch) -> Flask:
    monkeypatch.setattr(PreparedStatements, "enabled", True)
    postgresql_database.empty()
    return postgresql_database.app


@pytest.fixture
def ann(make_person: MakePerson) -> Actor:
    return make_person("ann")


@pytest.fixture(params=LOSSES)
def lose(app: Flask, request: pytest.FixtureRequest) -> Iterator[Callable[[], None]]:
    """A function that makes PostgreSQL refuse its prepared statements."""
    yield LOSSES[request.param]
    close(app)
    with app.app_context():
        run(f"{COLUMN} varchar(16)")


def run(statement: str) -> None:
    sql.request_connection().execute(statement).close()


def held() -> set[str]:
    """Return the prepared names that the app notes for the current connection."""
    connection = sql.request_connection().execute("SELECT 1").connection
    names: set[str] = connection.prepared
    return names


def kept() -> set[str]:
    """Return the prepared names that PostgreSQL knows."""
    cursor = sql.request_connection().execute("SELECT name FROM pg_prepared_statements")
    return {name for (name,) in cursor.fetchall()}


def test_statement_is_prepared_once_for_each_connection(app: Flask, ann: Actor) -> None:
    close(app)
    with app.app_context():
        task = tasks.create(ann, {"title": "Mend the roof"})
        first = kept()
        tasks.create(ann, {"title": "Paint the door"})
        assert kept() == held() == first
        for _ in range(7):  # from the sixth call on by the generic plan
            assert tasks.get(ann, task.id) == task
        assert len(kept()) == len(first) + 1


def test_kept_statement_gives_what_the_whole_one_gives(
    app: Flask, ann: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        made = tasks.create(ann, {"title": "50 % of it: %(key)s $1 ';", "labels": ["a", "B"]})
        kept_ones = tasks.get(ann, made.id), tasks.page(ann).items
        monkeypatch.setattr(PreparedStatements, "enabled", False)
        assert kept_ones == (tasks.get(ann, made.id), tasks.page(ann).items)
        assert kept_ones[0] == made


def test_statement_without_parameters_is_kept(app: Flask, ann: Actor) -> None:
    counted = Statement[Any](select(func.count().label("n")).select_from(Task), prepared=True)
    with app.app_context():
        tasks.create(ann, {"title": "Mend the roof"})
        assert [counted.one(), counted.one()] == [(1,), (1,)]
        assert PreparedStatements.enabled


def test_read_of_a_lost_statement_works(app: Flask, ann: Actor, lose: Callable[[], None]) -> None:
    with app.app_context():
        task = tasks.create(ann, {"title": "Mend the roof"})
        assert tasks.get(ann, task.id) == task
        lose()
        assert tasks.get(ann, task.id) == task
        assert not PreparedStatements.enabled
        assert tasks.get(ann, task.id) == task


def test_write_by_a_lost_statement_works_and_is_done_once(
    app: Flask, ann: Actor, lose: Callable[[], None]
) -> None:
    with app.app_context():
        task = tasks.create(ann, {"title": "Mend the roof"})
        tasks.update(ann, task.id, {"title": "Mend it"})
        lose()
        changed = tasks.update(ann, task.id, {"title": "Mend it all"}, {2})
        assert (changed.title, changed.version) == ("Mend it all", 3)
        tasks.create(ann, {"title": "Paint the door"})
        assert len(titles()) == 2


def test_write_of_a_column_of_another_type_works_and_is_done_once(app: Flask, ann: Actor) -> None:
    """A prepared statement's parameters have fixed types; a literal has no type of its own."""
    column = "ALTER TABLE audit_events ALTER COLUMN action TYPE"
    with app.app_context():
        tasks.create(ann, {"title": "Mend the roof"})
        run("CREATE TYPE actions AS ENUM ('user.created', 'task.created')")
        try:
            run(f"{column} actions USING action::actions")
            tasks.create(ann, {"title": "Paint the door"})
            assert len(titles()) == 2
        finally:
            run(f"{column} varchar(64)")
            run("DROP TYPE actions")
    close(app)


def test_fault_of_our_own_is_not_taken_for_a_lost_statement(app: Flask) -> None:
    with app.app_context(), pytest.raises(psycopg2.ProgrammingError):
        run("SELECT id FROM tasks WHERE id = 1")
    assert PreparedStatements.enabled


def test_log_says_why_statements_are_sent_whole_without_their_values(
    app: Flask, capfd: pytest.CaptureFixture[str]
) -> None:
    with app.app_context(), pytest.raises(psycopg2.ProgrammingError) as caught:
        run("SELECT no_such_function('seven plums')")
    assert is_refusal(caught.value)
    disable(caught.value)
    assert not PreparedStatements.enabled
    logged = capfd.readouterr().err
    assert "no_such_function" in logged
    assert "seven plums" not in logged


def titles() -> list[str]:
    with db.engine.connect() as connection:
        return [row.title for row in connection.execute(TASKS.select())]
