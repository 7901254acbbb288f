"""On PostgreSQL: an answer that is stored between the read of its key and the lock."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import insert

from app.models import IDEMPOTENCY_RECORDS, Task
from app.models.types import now
from app.services.shared import idempotency
from app.services.shared.actor import Actor
from app.services.shared.idempotency import Answer
from app.services.tasks import tasks
from app.sql import Statement
from tests.support.databases import Database
from tests.support.rows import rows

FIRST: dict[str, Any] = {"status": 201, "headers": {}, "body": "first"}
_insert = Statement[Any](insert(IDEMPOTENCY_RECORDS))


@pytest.fixture
def app(postgresql_database: Database) -> Flask:
    postgresql_database.empty()
    return postgresql_database.app


def test_answer_stored_after_the_read_of_the_key_is_replayed(app: Flask, ann: Actor) -> None:
    def overtaken() -> Answer:
        with app.app_context():  # another connection, which needs no lock
            _insert.run(user_id=ann.id, key="k", fingerprint="same", created_at=now(), **FIRST)
        tasks.create(ann, {"title": "Made twice"})
        return Answer(201, {}, "second")

    with app.app_context():
        assert idempotency.run_once(ann, "k", "same", overtaken) == (Answer(**FIRST), True)
        assert rows(Task) == []
