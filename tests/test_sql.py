"""Statements and transactions: the same values as SQLAlchemy's, all or nothing, known errors."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import psycopg2
import pytest
from flask import Flask
from hypothesis import given, settings, strategies as st
from sqlalchemy import bindparam, cast, insert, literal_column, select
from sqlalchemy.types import TypeEngine

from app import sql
from app.errors import Invalid, InvalidToken, Unavailable
from app.extensions import BUSY_TIMEOUT, Base, db
from app.models import AuditEvent, Session, Task, Token, User
from app.models.task import PRIORITIES, STATUSES
from app.models.types import uuid7
from app.services import audit, registration, tasks, token_pairs, users
from app.services.actor import Actor
from app.sql import Dangling, Duplicate, LostRace, Statement, atomic
from app.sql.connection import TOGETHER_MAX
from tests.conftest import PASSWORD
from tests.databases import PostgresServer, close, make_app
from tests.page_sessions import start_session
from tests.rows import rows

_insert_task = Statement[Task](insert(Task.__table__))  # type: ignore[arg-type]
_task = Statement[Task](select(*Task.__table__.c).where(Task.id == bindparam("key")))
TEXT = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=50)
MOMENT = st.datetimes(
    datetime(1, 1, 2),  # noqa: DTZ001  (the strategy adds the zone)
    datetime(9999, 12, 30),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))]),
)
TASK = st.fixed_dictionaries(
    {
        "title": TEXT.filter(bool),
        "description": TEXT,
        "status": st.sampled_from([status for status in STATUSES if status != "done"]),
        "priority": st.sampled_from(PRIORITIES),
        "due_at": st.none() | MOMENT,
        "labels": st.lists(TEXT, max_size=3),
        "label_keys": st.lists(TEXT, max_size=3),
        "completed_at": st.none(),
        "created_at": MOMENT,
        "updated_at": MOMENT,
        "deleted_at": st.none() | MOMENT,
        "version": st.integers(1, 2**31 - 1),
    }
)


@settings(max_examples=50)
@given(values=TASK)
@pytest.mark.usefixtures("ctx")
def test_row_is_written_and_read_as_sqlalchemy_would(ann: Actor, values: dict[str, Any]) -> None:
    row = {**values, "id": uuid7(), "owner_id": ann.id, "assignee_id": None}
    _insert_task.run(**row)
    read: Any = _task.one(key=row["id"])
    (theirs,) = rows(Task, id=row["id"])
    assert read._asdict() == theirs._asdict() == {name: row[name] for name in read._fields}


@pytest.mark.usefixtures("ctx")
@pytest.mark.parametrize(
    "model", [User, Session, Token, AuditEvent], ids=lambda model: model.__name__
)
def test_every_table_is_read_as_sqlalchemy_would(root: Actor, model: type[Base]) -> None:
    token_pairs.sign_in(Actor(), "root", PASSWORD)
    start_session("root", remember=True)
    ours: list[Any] = Statement[Any](
        select(*model.__table__.c).order_by(model.__table__.c.id)
    ).all()
    assert ours
    assert [row._asdict() for row in ours] == [row._asdict() for row in rows(model)]


@pytest.mark.usefixtures("ctx")
def test_use_case_that_raises_leaves_nothing(ann: Actor) -> None:
    @atomic
    def fail() -> None:
        tasks.create(ann, {"title": "x"})
        assert len(tasks.page(ann).items) == 1
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert (rows(Task), rows(AuditEvent, action="task.created")) == ([], [])


@pytest.mark.usefixtures("ctx")
def test_use_case_is_unseen_until_its_end(ann: Actor) -> None:
    @atomic
    def look() -> int:
        tasks.create(ann, {"title": "x"})
        with closing(db.engine.raw_connection()) as other:
            cursor = other.cursor()
            cursor.execute("SELECT count(*) FROM tasks")
            return int(cursor.fetchone()[0])  # type: ignore[index]

    assert look() == 0
    assert len(rows(Task)) == 1


@pytest.mark.usefixtures("ctx")
def test_statement_put_off_is_seen_by_the_next_one(ann: Actor) -> None:
    @atomic
    def create_and_read() -> None:
        task = tasks.create(ann, {"title": "x"})
        assert tasks.get(ann, task.id) == task

    create_and_read()


@pytest.mark.usefixtures("ctx")
def test_many_statements_put_off_are_all_run(ann: Actor) -> None:
    @atomic
    def create_many() -> None:
        for number in range(TOGETHER_MAX):
            tasks.create(ann, {"title": str(number)})

    create_many()
    assert len(rows(Task)) == len(rows(AuditEvent, action="task.created")) == TOGETHER_MAX


def test_statement_put_off_that_fails_undoes_the_use_case(postgres_app: Flask) -> None:
    with postgres_app.app_context():
        ann = Actor(registration.register(Actor(), "ann", "ann@example.com", PASSWORD).id)
        too_long = replace(ann, request_id="x" * 129)  # longer than its column
        with pytest.raises(Invalid):
            tasks.create(too_long, {"title": "x"})
        assert rows(Task) == []
        assert tasks.create(ann, {"title": "y"}).title == "y"


def test_use_case_that_sends_nothing_begins_nothing(postgres_app: Flask) -> None:
    with postgres_app.app_context():
        atomic(lambda: None)()
        assert sql.current().pooled is None


@pytest.mark.usefixtures("ctx")
@pytest.mark.parametrize(("losses", "tries"), [(0, 1), (1, 2), (2, 2)])
def test_lost_race_is_run_once_more(ann: Actor, losses: int, tries: int) -> None:
    tried = 0

    @atomic
    def race() -> None:
        nonlocal tried
        tried += 1
        tasks.create(ann, {"title": "x"})
        if tried <= losses:
            raise LostRace("lost")

    if losses > 1:
        with pytest.raises(LostRace):
            race()
    else:
        race()
    assert (tried, len(rows(Task))) == (tries, 0 if losses > 1 else 1)


def test_context_gives_its_connection_back(app: Flask) -> None:
    with app.app_context():
        users.is_empty()
        pool: Any = db.engine.pool
        assert pool.checkedout() == 1
    assert pool.checkedout() == 0


def test_transaction_left_open_ends_with_the_context(app: Flask, ann: Actor) -> None:
    with app.app_context():
        sql.current().begin()
        tasks.create(ann, {"title": "x"})
    with app.app_context():
        assert rows(Task) == []
        assert tasks.create(ann, {"title": "y"}).title == "y"


@pytest.mark.usefixtures("ctx")
def test_taken_name_is_a_duplicate_that_names_the_index(ann: Actor) -> None:
    again = Statement[User](insert(User.__table__))  # type: ignore[arg-type]
    row = rows(User)[0]._asdict()
    with pytest.raises(Duplicate, match="uq_users_username"):
        again.run(**{**row, "id": uuid7(), "email": "other@example.com"})


@pytest.mark.usefixtures("ctx")
def test_reference_to_nobody_is_dangling() -> None:
    nobody = Actor(id="00000000-0000-7000-8000-000000000000")
    with pytest.raises(Dangling) as caught:
        tasks.create(nobody, {"title": "x"})
    assert isinstance(caught.value, InvalidToken)
    assert (rows(Task), rows(AuditEvent)) == ([], [])


@pytest.fixture
def postgres_app(request: pytest.FixtureRequest) -> Flask:
    database = request.getfixturevalue("postgresql_database")
    database.empty()
    app: Flask = database.app
    close(app)  # so that the next connection to be used is the one that a test has cut
    return app


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
        ("23505", Duplicate),
        ("23503", Dangling),
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
            sql.current().execute(raising)
        assert caught.type is error or error is psycopg2.Error
        assert users.is_empty()


def terminate(server: PostgresServer, pid: int) -> None:
    server.execute(f"SELECT pg_terminate_backend({pid}, 5000)")


def backend() -> int:
    cursor = sql.current().execute("SELECT pg_backend_pid()")
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
    write = Statement[User](insert(User.__table__))  # type: ignore[arg-type]
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
        sql.current().execute("PRAGMA busy_timeout = 10").close()
        with closing(sqlite3.connect(database.path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(Unavailable):
                audit.denied(Actor(), "x")
        audit.denied(Actor(), "x")
        sql.current().execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT * 1000}").close()


@pytest.mark.usefixtures("ctx")
def test_percent_sign_means_the_same_in_a_transaction() -> None:
    rest = Statement[Any](select(literal_column("7 % 4").label("rest")))
    assert rest.one() == sql.atomic(rest.one)() == (3,)


@pytest.mark.usefixtures("ctx")
def test_statement_compiled_ahead_is_what_a_call_would_make() -> None:
    clause = select(Task.id).where(Task.id == bindparam("key"), Task.status.in_(["todo", "done"]))
    called, ahead = Statement[Task](clause), Statement[Task](clause)
    called.one(key=uuid7())
    dialect = sql.current().dialect
    ahead.compile_ahead(dialect)
    plans = [each._plans[dialect.name] for each in (called, ahead)]
    first, second = ((plan.sql, plan.constants, [name for name, _ in plan.bind]) for plan in plans)
    assert first == second
    assert "todo" in first[1].values()


@pytest.mark.usefixtures("ctx")
def test_statement_that_takes_a_list_is_not_compiled_ahead() -> None:
    clause = select(Task.id).where(Task.id.in_(bindparam("keys", expanding=True)))
    statement, dialect = Statement[Task](clause), sql.current().dialect
    statement.compile_ahead(dialect)
    assert not statement._plans
    assert statement.all(keys=[uuid7(), uuid7()]) == []


@pytest.mark.usefixtures("ctx")
def test_statement_of_the_other_database_is_passed_over() -> None:
    nobody = Statement[Task](select(cast(Task.title, Foreign())))
    sql.compile_ahead()
    assert not nobody._plans


class Foreign(TypeEngine[str]):
    __visit_name__ = "foreign"
