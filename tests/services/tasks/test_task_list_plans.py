"""PostgreSQL reads lists of tasks in every sort order from indexes."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from app.extensions import db
from app.models.types import now
from app.services.shared.actor import Actor
from app.services.tasks import page_queries
from app.services.tasks.page_queries import SORTS, Shape
from app.services.users import registration, users
from app.sql import watchdog
from tests.conftest import PASSWORD
from tests.support.databases import PostgresServer, close, make_app, migrate
from tests.support.plans import KINDS, blocks, plan_of

MANY = 20_000
FILL = """
INSERT INTO tasks (id, title, description, status, priority, labels, label_keys, owner_id,
                   assignee_id, due_at, created_at, updated_at, version)
SELECT gen_random_uuid(), 'task ' || n, '', 'todo', n % 4, '{}', '{}',
       CAST(CASE n % 2 WHEN 0 THEN :ann ELSE :bob END AS uuid),
       CAST(CASE n % 400 WHEN 1 THEN :ann END AS uuid),
       CASE n % 3 WHEN 0 THEN now() + n * interval '1 minute' END,
       now() - n * interval '1 minute', now() - n * interval '1 minute', 1
FROM generate_series(1, :many) AS n
"""


@pytest.fixture(scope="module")
def full_app(postgres: PostgresServer) -> Iterator[Flask]:
    """An app with many tasks: half of them Ann's, a few of Bob's assigned to her."""
    app = make_app(postgres.create("plans"))
    migrate(app)
    with app.app_context(), watchdog.statement_timeout(None):
        ann, bob = (
            registration.register(Actor(), name, f"{name}@example.com", PASSWORD)
            for name in ("ann", "bob")
        )
        with db.engine.begin() as connection:
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            connection.execute(text(FILL), {"ann": ann.id, "bob": bob.id, "many": MANY})
            connection.execute(text("ANALYZE"))
    yield app
    close(app)


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)


def explain(shape: Shape, kind: str, **values: Any) -> list[dict[str, Any]]:
    """Return the nodes of the executed plan, which is custom or generic."""
    ann = users.by_username("ann")
    given = {"actor_id": ann.id, "size": 21, "moment": now(), **values}
    return list(nodes(plan_of(lambda: page_queries.page(shape).all(**given), kind)))


def assert_cheap(plan: list[dict[str, Any]]) -> None:
    """Assert that the plan touches few of the table's hundreds of blocks."""
    assert "Seq Scan" not in {node["Node Type"] for node in plan}
    assert blocks(plan[0]) <= 200


@KINDS
@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("sort", [name for name in SORTS if name != "created_at"])
def test_first_page_is_read_from_an_index(
    full_app: Flask, sort: str, descending: bool, kind: str
) -> None:
    with full_app.app_context():
        assert_cheap(explain(Shape(True, False, (), sort, descending), kind))


@KINDS
@pytest.mark.parametrize("sort", ["due_at", "title"])
def test_deep_page_costs_what_the_first_one_does(full_app: Flask, sort: str, kind: str) -> None:
    key = "lower(title)" if sort == "title" else sort
    middle = f"SELECT {key} AS at, id FROM tasks ORDER BY {key} LIMIT 1 OFFSET 3000"  # noqa: S608
    with full_app.app_context():
        with db.engine.connect() as connection:
            row = connection.execute(text(middle)).one()
        shape = Shape(True, False, (), sort, False, resumed=True)
        assert_cheap(explain(shape, kind, at=row.at, last_id=row.id))
