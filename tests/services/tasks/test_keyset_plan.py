"""PostgreSQL reads a page of a long list from an index, in order, and only the page's rows."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from app.extensions import db
from app.models.task import PRIORITIES
from app.models.types import uuid7
from app.services.shared.actor import Actor, scopes_of
from app.services.shared.paging import PageRequest
from app.services.tasks import tasks
from app.sql import watchdog
from tests.support.databases import PostgresServer, close, make_app, migrate
from tests.support.plans import KINDS, blocks, plan_of

NUMBER, LIMIT = 50_000, 20
ANN = Actor(id=uuid7(), username="ann", scopes=scopes_of("user"))
ROOT = Actor(id=uuid7(), username="root", role="admin", scopes=scopes_of("admin"))
PEOPLE = """
    INSERT INTO users (id, username, email, password_hash, role, is_active, email_verified,
                       created_at, updated_at, version)
    VALUES (:id, :name, :name || '@example.com', '', 'user', true, false, now(), now(), 1)
"""
# Half of them Ann's, every tenth of the others assigned to her; three with each time.
TASKS = """
    INSERT INTO tasks (id, title, description, status, priority, labels, label_keys, owner_id,
                       assignee_id, created_at, updated_at, version)
    SELECT gen_random_uuid(), 'Task ' || n, '', 'todo', n % 4, '{}', '{}',
           CAST(CASE WHEN n % 2 = 0 THEN :ann ELSE :root END AS uuid),
           CAST(CASE WHEN n % 10 = 1 THEN :ann END AS uuid),
           moment, moment, 1
    FROM generate_series(1, :number) AS n,
         LATERAL (SELECT timestamptz '2026-01-01' + n / 3 * interval '1 second') AS t (moment)
"""
ACTORS = pytest.mark.parametrize("actor", [ANN, ROOT], ids=["owner", "admin"])
DEPTHS = pytest.mark.parametrize("depth", [0.0, 0.99], ids=["first", "deep"])


@pytest.fixture(scope="module")
def long_list(postgres: PostgresServer) -> Iterator[Flask]:
    app = make_app(postgres.create("plan"))
    migrate(app)
    people = {"ann": ANN.id, "root": ROOT.id}
    with app.app_context(), watchdog.statement_timeout(None):
        with db.engine.begin() as connection:
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            for name, user_id in people.items():
                connection.execute(text(PEOPLE), {"id": user_id, "name": name})
            connection.execute(text(TASKS), {**people, "number": NUMBER})
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE tasks"))
    yield app
    close(app)


def cursor(actor: Actor, depth: float, sort: str) -> list[Any] | None:
    """Return the cursor of a page at `depth` of the list, from 0 to 1."""
    if not depth:
        return None
    key = sort.removeprefix("-")
    whole = "" if actor.is_admin else "WHERE owner_id = :actor OR assignee_id = :actor"
    order = f"{key} DESC, id DESC" if sort.startswith("-") else f"{key}, id"
    query = f"SELECT {key}, id FROM tasks {whole} ORDER BY {order} OFFSET :number LIMIT 1"  # noqa: S608
    share = 1 if actor.is_admin else 0.55
    with db.engine.connect() as connection:
        number = int(depth * NUMBER * share)
        row = connection.execute(text(query), {"actor": actor.id, "number": number}).one()
    at = PRIORITIES[row[0]] if key == "priority" else row[0].isoformat()
    return [at, str(row[1])]


def plan(actor: Actor, depth: float, sort: str = "-created_at", kind: str = "custom") -> Any:
    """Return the plan of the statement of a page."""
    after = cursor(actor, depth, sort)
    found: list[Any] = []

    def ask() -> None:
        page = tasks.page(actor, PageRequest(LIMIT, after), sort=sort, everyone=actor.is_admin)
        found.extend(page.items)

    followed = plan_of(ask, kind)
    assert len(found) == LIMIT
    return followed


def scans(node: dict[str, Any], below: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield for each scan of the tasks the kinds of the nodes above the scan."""
    path = (*below, node["Node Type"])
    if node.get("Relation Name") == "tasks":
        yield path
    for inner in node.get("Plans", []):
        yield from scans(inner, path)


@ACTORS
@DEPTHS
@KINDS
def test_page_is_read_in_order_from_an_index(
    long_list: Flask, actor: Actor, depth: float, kind: str
) -> None:
    with long_list.app_context():
        found = list(scans(plan(actor, depth, kind=kind)))
    assert len(found) == (1 if actor.is_admin else 2)
    for path in found:
        branch = path[path.index("Limit", 1) if not actor.is_admin else 0 :]
        assert path[-1] in ("Index Scan", "Index Only Scan"), path
        assert not [kind for kind in branch if "Sort" in kind], path


@ACTORS
@KINDS
def test_last_page_reads_no_more_than_twice_the_first(
    long_list: Flask, actor: Actor, kind: str
) -> None:
    with long_list.app_context():
        first, deep = (blocks(plan(actor, depth, kind=kind)) for depth in (0.0, 0.99))
    assert deep <= 2 * first
    assert first < NUMBER / 100


@pytest.mark.parametrize("sort", ["created_at", "-updated_at", "priority", "-priority"])
@DEPTHS
@KINDS
def test_own_tasks_are_read_from_an_index_in_every_order(
    long_list: Flask, sort: str, depth: float, kind: str
) -> None:
    """The few assigned tasks may be sorted."""
    with long_list.app_context():
        whole = plan(ANN, depth, sort, kind)
    assert "Seq Scan" not in {path[-1] for path in scans(whole)}
    assert [path for path in scans(whole) if path[-1] == "Index Scan" and "Sort" not in path[2:]]
