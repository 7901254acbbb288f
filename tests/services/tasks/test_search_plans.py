"""Both databases search 100,000 tasks of one user by an index, for any word.

`common` is in every task, `third` in every third, `twentieth` in every twentieth, `eightieth` in
every eightieth, `rare` and a Han text in three, `cluster` in the 300 oldest, `half` in the older
half, `older` in all but the 5,000 newest. The tests count blocks and instructions, not time.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from app import sql
from app.extensions import db
from app.models.types import now, uuid7
from app.services.shared.actor import Actor, scopes_of
from app.services.shared.paging import PageRequest
from app.services.tasks import filters as task_filters, search_queries, tasks
from app.services.tasks.page_queries import Shape
from app.sql import watchdog
from tests.support.databases import PostgresServer, close, make_app, migrate
from tests.support.plans import blocks, plan_of

pytestmark = pytest.mark.slow
NUMBER = 100_000
ANN = Actor(id=uuid7(), username="ann", scopes=scopes_of("user"))
USER = """
    INSERT INTO users (id, username, email, password_hash, role, is_active, email_verified,
                       created_at, updated_at, version)
    VALUES (:id, 'ann', 'ann@example.com', '', 'user', true, false, :now, :now, 1)
"""
WORDS = """
    ' common task ' || n || CASE WHEN n % 3 = 0 THEN ' third' ELSE '' END
    || CASE WHEN n % 20 = 0 THEN ' twentieth' ELSE '' END
    || CASE WHEN n % 80 = 0 THEN ' eightieth' ELSE '' END
    || CASE WHEN n % 40000 = 7 THEN ' rare \u4f1a\u8bae\u5f55 \u8bae\u5f55 \u5f55' ELSE '' END
    || CASE WHEN n < 300 THEN ' cluster' ELSE '' END
    || CASE WHEN n <= 50000 THEN ' half' ELSE '' END
    || CASE WHEN n <= 95000 THEN ' older' ELSE '' END || ' '
"""
COLUMNS = """
    id, title, description, status, priority, labels, label_keys, owner_id, created_at, updated_at,
    version, search_words, search_version
"""
ON_POSTGRES = f"""
    INSERT INTO tasks ({COLUMNS})
    SELECT gen_random_uuid(), words, '', 'todo', n % 4, '{{}}', '{{}}', CAST(:id AS uuid),
           moment, moment, 1, CAST(words AS tsvector), 1
    FROM generate_series(1, :number) AS n,
         LATERAL (SELECT {WORDS}, timestamptz '2020-01-01' + n * interval '1 minute')
         AS t (words, moment)
"""  # noqa: S608 - constants only
ON_SQLITE = f"""
    INSERT INTO tasks ({COLUMNS})
    SELECT printf('%08x-0000-7000-8000-000000000000', n), words, '', 'todo', n % 4, '[]', '[]',
           :id, moment, moment, 1, words, 1
    FROM (
        WITH RECURSIVE numbers (n) AS (
            SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :number
        )
        SELECT n, {WORDS} AS words,
               strftime('%Y-%m-%dT%H:%M:00.000000Z', '2020-01-01', n || ' minutes') AS moment
        FROM numbers
    )
"""  # noqa: S608
COMMON = [("common", 21), ("comm", 21), ("third", 21), ("twentieth", 21)]
RARE = [("rare", 3), ("\u4f1a", 3), ("\u8bae\u5f55", 3), ("clus", 21), ("nothing", 0), ("99999", 1)]
MORE = {"status": ["todo"], "due_at": "none", "created_after": datetime(2019, 1, 1, tzinfo=UTC)}
filters = pytest.mark.parametrize("more", [{}, MORE], ids=["alone", "filtered"])
ORDERS = ["-created_at", "created_at", "title", "-due_at", "status", "-completed_at"]
sorts = pytest.mark.parametrize("sort", ORDERS)


def fill(app: Flask, statement: str) -> None:
    with app.app_context(), watchdog.statement_timeout(None), db.engine.begin() as connection:
        if db.engine.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL statement_timeout = 0"))
        moment = "2020-01-01T00:00:00.000000Z"
        connection.execute(text(USER), {"id": ANN.id, "now": moment})
        connection.execute(text(statement), {"id": ANN.id, "number": NUMBER})


@pytest.fixture(scope="module")
def on_postgres(postgres: PostgresServer) -> Iterator[Flask]:
    app = make_app(postgres.create("search"))
    migrate(app)
    fill(app, ON_POSTGRES)
    with app.app_context(), watchdog.statement_timeout(None):
        autocommit = db.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        with autocommit as connection:
            connection.execute(text("SET statement_timeout = 0"))
            connection.execute(text("VACUUM ANALYZE tasks"))
            connection.execute(text("RESET statement_timeout"))
    yield app
    close(app)


@pytest.fixture(scope="module")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    path: Path = tmp_path_factory.mktemp("search") / "search.db"
    app = make_app(f"sqlite:///{path}")
    migrate(app)
    fill(app, ON_SQLITE)
    yield app
    close(app)


@pytest.fixture
def searched(on_postgres: Flask) -> Iterator[None]:
    with on_postgres.app_context():
        yield


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)


def asked(
    query: str, sort: str, more: dict[str, Any], *, postgres: bool
) -> tuple[Shape, dict[str, Any]]:
    matching, values = task_filters.parameters({"q": query, **more}, postgres=postgres)
    values.update(size=21, actor_id=ANN.id, moment=now())
    key = sort.removeprefix("-")
    return Shape(postgres, False, matching, key, sort.startswith("-")), values


@filters
@sorts
@pytest.mark.parametrize(("query", "number"), RARE)
@pytest.mark.usefixtures("searched")
def test_postgresql_finds_a_rare_word_by_the_index(
    query: str, number: int, sort: str, more: dict[str, Any]
) -> None:
    shape, values = asked(query, sort, more, postgres=True)
    plan = plan_of(lambda: search_queries._indexed(shape).all(**values))
    found = list(nodes(plan))
    assert "ix_tasks_search_words" in {node.get("Index Name") for node in found}
    assert "Seq Scan" not in {node["Node Type"] for node in found}
    assert (plan["Actual Rows"], blocks(plan) <= 400) == (number, True)


@filters
@sorts
@pytest.mark.parametrize(("query", "number"), COMMON + RARE)
@pytest.mark.usefixtures("searched")
def test_postgresql_looks_at_the_first_tasks_of_the_list_in_their_order(
    query: str, number: int, sort: str, more: dict[str, Any]
) -> None:
    shape, values = asked(query, sort, more, postgres=True)
    near = search_queries.NEXT if query == "twentieth" else search_queries.NEAR
    plan = plan_of(lambda: search_queries._near(shape).all(**values, near=near))
    assert "Seq Scan" not in {node["Node Type"] for node in nodes(plan)}
    assert plan["Actual Rows"] == number or query in dict(RARE)
    assert blocks(plan) <= 6 * near  # a block for each task and its index entry


@pytest.mark.parametrize("query", ["half", "older"])
@pytest.mark.usefixtures("searched")
def test_postgresql_reads_the_list_for_a_word_that_many_but_the_newest_tasks_have(
    query: str,
) -> None:
    shape, values = asked(query, "-created_at", {}, postgres=True)
    rest = search_queries._rest(shape, common=search_queries._is_common(shape, values))
    plan = plan_of(lambda: rest.all(**values))
    kinds = {node["Node Type"] for node in nodes(plan)}
    assert (plan["Actual Rows"], "Index Scan" in kinds) == (21, True)
    assert not kinds & {"Seq Scan", "Bitmap Heap Scan"}


@pytest.mark.parametrize(("query", "number"), RARE)
@pytest.mark.usefixtures("searched")
def test_postgresql_does_not_read_the_list_for_a_rare_word(query: str, number: int) -> None:
    shape, values = asked(query, "-created_at", {}, postgres=True)
    assert not search_queries._is_common(shape, values)


@sorts
@pytest.mark.parametrize("more", [{"status": ["done"]}, {"label": ["none"]}], ids=repr)
@pytest.mark.usefixtures("searched")
def test_postgresql_intersects_the_index_of_a_filter_with_that_of_words(
    sort: str, more: dict[str, Any]
) -> None:
    shape, values = asked("common", sort, more, postgres=True)
    rest = search_queries._rest(shape, common=search_queries._is_common(shape, values))
    plan = plan_of(lambda: rest.all(**values))
    assert "BitmapAnd" in {node["Node Type"] for node in nodes(plan)}
    assert sum(node.get("Rows Removed by Filter", 0) for node in nodes(plan)) == 0


@sorts
@pytest.mark.usefixtures("searched")
def test_postgresql_sorts_hits_by_columns_alone(sort: str) -> None:
    shape, values = asked("rare", sort, {}, postgres=True)
    plan = plan_of(lambda: search_queries._indexed(shape).all(**values))
    (keys,) = (node["Sort Key"] for node in nodes(plan) if node["Node Type"] == "Sort")
    assert len(keys) == 2  # a leading expression would make the sort four times slower


@filters
@sorts
@pytest.mark.parametrize(("query", "number"), COMMON + RARE)
def test_sqlite_searches_with_little_work(
    on_sqlite: Flask, query: str, number: int, sort: str, more: dict[str, Any]
) -> None:
    with on_sqlite.app_context():
        count = Instructions()
        page = tasks.page(ANN, filters={"q": query, **more}, sort=sort)
        done = count.stop()
    assert len(page.items) == min(number, 20)
    assert done <= 200_000  # reading all 100,000 tasks takes some 2,000,000


NONE_PASS: list[dict[str, Any]] = [
    {"due_before": datetime(2019, 1, 1, tzinfo=UTC)},
    {"created_before": datetime(2019, 1, 1, tzinfo=UTC)},
]


@pytest.mark.parametrize("more", NONE_PASS, ids=lambda more: next(iter(more)))
def test_sqlite_reads_what_passes_a_filter_and_not_all_that_have_a_word(
    on_sqlite: Flask, more: dict[str, Any]
) -> None:
    with on_sqlite.app_context():
        count = Instructions()
        assert tasks.page(ANN, filters={"q": "common", **more}).items == []
        assert count.stop() <= 50_000


@pytest.mark.parametrize("query", ["older", "olde"])
def test_sqlite_reads_the_list_for_a_word_that_most_but_the_newest_tasks_have(
    on_sqlite: Flask, query: str
) -> None:
    with on_sqlite.app_context():
        count = Instructions()
        assert len(tasks.page(ANN, filters={"q": query}).items) == 20
        assert count.stop() <= 200_000


MIDDLE = datetime(2020, 2, 5, tzinfo=UTC)  # half of the tasks are older
BOUNDED = [("-created_at", {"created_before": MIDDLE}), ("created_at", {"created_after": MIDDLE})]
bounded = pytest.mark.parametrize(("sort", "more"), BOUNDED)


@bounded
def test_sqlite_starts_at_the_bound_of_a_filter(
    on_sqlite: Flask, sort: str, more: dict[str, Any]
) -> None:
    with on_sqlite.app_context():
        count = Instructions()
        assert len(tasks.page(ANN, filters={"q": "comm", **more}, sort=sort).items) == 20
        assert count.stop() <= 30_000


@bounded
@pytest.mark.usefixtures("searched")
def test_postgresql_starts_at_the_bound_of_a_filter(sort: str, more: dict[str, Any]) -> None:
    shape, values = asked("comm", sort, more, postgres=True)
    plan = plan_of(lambda: search_queries._near(shape).all(**values, near=search_queries.NEAR))
    assert (plan["Actual Rows"], blocks(plan) <= 6 * search_queries.NEAR) == (21, True)


def test_page_is_filled_from_the_list_if_its_start_holds_a_part(on_sqlite: Flask) -> None:
    with on_sqlite.app_context(), pytest.MonkeyPatch.context() as patch:
        patch.delattr(search_queries, "_rest")
        assert len(tasks.page(ANN, filters={"q": "eightieth"}).items) == 20


@sorts
def test_sqlite_reads_no_live_task_for_the_trash(on_sqlite: Flask, sort: str) -> None:
    with on_sqlite.app_context():
        count = Instructions()
        assert tasks.page(ANN, filters={"q": "common", "trashed": True}, sort=sort).items == []
        assert count.stop() <= 5_000


@sorts
@pytest.mark.usefixtures("searched")
def test_postgresql_reads_no_live_task_for_the_trash(sort: str) -> None:
    shape, values = asked("common", sort, {"trashed": True}, postgres=True)
    plan = plan_of(lambda: search_queries._near(shape).all(**values, near=search_queries.NEAR))
    assert blocks(plan) <= 10


class Instructions:
    """A counter of SQLite's instructions on this context's connection, in hundreds."""

    def __init__(self) -> None:
        link: Any = sql.request_connection()
        link.execute("SELECT 1").close()
        self.connection = link.pooled.dbapi_connection
        self.number = 0
        self.connection.set_progress_handler(self._add, 100)

    def _add(self) -> int:
        self.number += 100
        return 0

    def stop(self) -> int:
        self.connection.set_progress_handler(None, 0)
        return self.number


@filters
@sorts
def test_sqlite_asks_the_index_first(on_sqlite: Flask, sort: str, more: dict[str, Any]) -> None:
    with on_sqlite.app_context():
        shape, values = asked("rare", sort, more, postgres=False)
        plan = sqlite_plan(search_queries._indexed(shape), values)
    assert any("task_search VIRTUAL TABLE INDEX" in step for step in plan)
    tasks_steps = [step for step in plan if " tasks" in step]
    assert len(tasks_steps) == 1
    assert "uq_tasks_search_id" in tasks_steps[0]


def sqlite_plan(statement: Any, values: dict[str, Any]) -> list[str]:
    statement.all(**values)
    plan = statement._plans["sqlite"]
    found = sql.request_connection().execute(
        f"EXPLAIN QUERY PLAN {plan.sql}", plan.arguments(values)
    )
    return [row[3] for row in found.fetchall()]


def test_counting_asks_the_index(on_sqlite: Flask) -> None:
    with on_sqlite.app_context():
        assert tasks.page(ANN, PageRequest(count=True), filters={"q": "rare"}).total == 3
        shape, values = asked("rare", "-created_at", {}, postgres=False)
        plan = sqlite_plan(search_queries._count(shape), values)
    assert any("task_search VIRTUAL TABLE INDEX" in step for step in plan)
