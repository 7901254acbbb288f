"""How PostgreSQL reads the list of everybody's personal tokens: from an index, in order."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from app import sql
from app.extensions import db
from app.services import personal_tokens, registration
from app.services.actor import SYSTEM, Actor
from tests.conftest import PASSWORD
from tests.databases import PostgresServer, close, make_app, migrate

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


def test_page_of_all_personal_tokens_is_read_from_its_index(
    full_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with full_app.app_context():
        link, sent = sql.current(), []
        execute = link.execute

        def remember(*given: Any) -> Any:
            sent.append(given)
            return execute(*given)

        monkeypatch.setattr(link, "execute", remember)
        page = personal_tokens.page_of_all(SYSTEM, limit=20)
        assert [token.kind for token in page.items] == ["personal"] * 20
        ((statement, params, _),) = sent
        explained = execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", params)
        plan = explained.fetchone()[0][0]["Plan"]
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 40
    assert plan["Plans"][0]["Index Name"] == "ix_tokens_personal_created_at"
