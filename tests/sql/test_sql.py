"""Statements and transactions: the same values as SQLAlchemy's, all or nothing."""

from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from flask import Flask
from hypothesis import given, settings, strategies as st
from sqlalchemy import bindparam, cast, insert, literal_column, select
from sqlalchemy.types import TypeEngine

from app import sql
from app.errors import Invalid
from app.extensions import db
from app.models import TASKS, AuditEvent, Session, Task, Token, User
from app.models.base import Base
from app.models.task import PRIORITIES, STATUSES
from app.models.types import uuid7
from app.services.access import token_pairs
from app.services.shared.actor import SYSTEM, Actor
from app.services.tasks import tasks
from app.services.users import registration, users
from app.sql import LostRace, Statement, atomic
from app.sql.connection import TOGETHER_MAX
from tests.conftest import PASSWORD
from tests.support.page_sessions import start_session
from tests.support.rows import rows

_insert_task = Statement[Task](insert(TASKS))
_task = Statement[Task](select(*TASKS.c).where(Task.id == bindparam("key")))
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
        "search_words": st.none(),
        "search_version": st.none() | st.integers(1, 2**31 - 1),
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
def test_scalar_is_the_first_column_of_the_first_row_as_one_gives_it(ann: Actor) -> None:
    newest_first = select(Task.due_at, Task.title).order_by(Task.title.desc())
    moment = datetime(2027, 1, 2, tzinfo=UTC)
    tasks.create(ann, {"title": "A"})
    tasks.create(ann, {"title": "B", "due_at": moment})
    assert Statement[Task](newest_first).scalar() == moment


@pytest.mark.usefixtures("ctx")
def test_scalar_is_none_without_a_row_and_for_a_null(ann: Actor) -> None:
    due = Statement[Task](select(Task.due_at).where(Task.title == bindparam("title")))
    tasks.create(ann, {"title": "A"})
    assert due.scalar(title="B") is None
    assert due.scalar(title="A") is None


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
        too_long = replace(ann, request_id="x" * 129)  # longer than the column
        with pytest.raises(Invalid):
            tasks.create(too_long, {"title": "x"})
        assert rows(Task) == []
        assert tasks.create(ann, {"title": "y"}).title == "y"


def test_use_case_that_sends_nothing_begins_nothing(postgres_app: Flask) -> None:
    with postgres_app.app_context():
        atomic(lambda: None)()
        assert sql.request_connection().pooled is None


@pytest.mark.usefixtures("ctx")
@pytest.mark.parametrize(("losses", "tries"), [(0, 1), (2, 3), (3, 3)])
def test_lost_race_is_run_again_twice(ann: Actor, losses: int, tries: int) -> None:
    tried = 0

    @atomic
    def race() -> None:
        nonlocal tried
        tried += 1
        tasks.create(ann, {"title": "x"})
        if tried <= losses:
            raise LostRace("lost")

    if losses == tries:
        with pytest.raises(LostRace):
            race()
    else:
        race()
    assert (tried, len(rows(Task))) == (tries, 0 if losses == tries else 1)


def test_connection_that_is_given_back_in_a_transaction_serves_the_next(app: Flask) -> None:
    """A fork may forget to end a transaction of a connection that it takes itself."""
    with app.app_context():
        db.engine.dispose()
        taken = db.engine.raw_connection()
        taken.cursor().execute("BEGIN")
        taken.cursor().execute("DELETE FROM users")
        taken.close()
        assert registration.register(SYSTEM, "eve", "eve@example.com", PASSWORD).username == "eve"
        assert db.engine.pool.checkedout() == 1  # type: ignore[attr-defined]


def test_context_gives_its_connection_back(app: Flask) -> None:
    with app.app_context():
        users.is_empty()
        pool: Any = db.engine.pool
        assert pool.checkedout() == 1
    assert pool.checkedout() == 0


def test_transaction_left_open_ends_with_the_context(app: Flask, ann: Actor) -> None:
    with app.app_context():
        sql.request_connection().begin()
        tasks.create(ann, {"title": "x"})
    with app.app_context():
        assert rows(Task) == []
        assert tasks.create(ann, {"title": "y"}).title == "y"


@pytest.mark.usefixtures("ctx")
def test_percent_sign_means_the_same_in_a_transaction() -> None:
    rest = Statement[Any](select(literal_column("7 % 4").label("rest")))
    assert rest.one() == sql.atomic(rest.one)() == (3,)


@pytest.mark.usefixtures("ctx")
def test_statement_compiled_ahead_is_what_a_call_would_make() -> None:
    clause = select(Task.id).where(Task.id == bindparam("key"), Task.status.in_(["todo", "done"]))
    called, ahead = Statement[Task](clause), Statement[Task](clause)
    called.one(key=uuid7())
    dialect = sql.request_connection().dialect
    ahead.compile_ahead(dialect)
    plans = [each._plans[dialect.name] for each in (called, ahead)]
    first, second = ((plan.sql, plan.constants, [name for name, _ in plan.bind]) for plan in plans)
    assert first == second
    assert "todo" in first[1].values()


@pytest.mark.usefixtures("ctx")
def test_statement_that_takes_a_list_is_not_compiled_ahead() -> None:
    clause = select(Task.id).where(Task.id.in_(bindparam("keys", expanding=True)))
    statement, dialect = Statement[Task](clause), sql.request_connection().dialect
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
