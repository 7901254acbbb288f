"""PostgreSQL reads the list of all users' personal tokens from an index, in order."""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import text

from app.extensions import db
from app.services.access import personal_tokens
from app.services.shared.actor import SYSTEM, Actor
from app.services.shared.paging import PageRequest
from app.services.users import registration
from tests.conftest import PASSWORD
from tests.support.databases import PostgresServer, close, make_app, migrate
from tests.support.plans import blocks, plan_of

MANY = 20_000
FILL = """
INSERT INTO tokens (id, user_id, kind, family_id, hash, prefix, name, scopes, created_at)
SELECT gen_random_uuid(), :ann, CASE n % 2 WHEN 0 THEN 'personal' ELSE 'access' END,
       gen_random_uuid(), md5(n::text), '', '', 'tasks:read', now() - n * interval '1 minute'
FROM generate_series(1, :many) AS n
"""


@pytest.fixture
def full_app(postgres: PostgresServer) -> Iterator[Flask]:
    app = make_app(postgres.create("tokenplan"))
    migrate(app)
    with app.app_context():
        ann = registration.register(Actor(), "ann", "ann@example.com", PASSWORD)
        with db.engine.begin() as connection:
            connection.execute(text(FILL), {"ann": ann.id, "many": MANY})
            connection.execute(text("ANALYZE tokens"))
    yield app
    close(app)


def test_page_of_all_personal_tokens_is_read_from_its_index(full_app: Flask) -> None:
    found: list[str] = []

    def ask() -> None:
        found.extend(
            each.kind for each in personal_tokens.page_of_all(SYSTEM, PageRequest(20)).items
        )

    with full_app.app_context():
        plan = plan_of(ask)
    assert found == ["personal"] * 20
    assert blocks(plan) < 40
    assert plan["Plans"][0]["Index Name"] == "ix_tokens_personal_created_at"
