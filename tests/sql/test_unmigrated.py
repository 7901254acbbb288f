"""A database without tables or columns, because its migrations have not run yet."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from app.errors import Unavailable
from app.extensions import db
from app.services.operations import readiness
from app.services.shared.actor import Actor
from app.services.users import registration
from app.worker.loop import Worker
from tests.conftest import PASSWORD
from tests.sql import test_migrations
from tests.support import leaks
from tests.support.answers import slug_of
from tests.support.clients import Api, Browser
from tests.support.databases import close, make_app, migrate

url = test_migrations.url
MEND = "run flask db upgrade"


@pytest.fixture
def bare(url: str) -> Iterator[Flask]:
    """An app on a database without tables."""
    app = make_app(url)
    yield app
    close(app)


def run_sql(app: Flask, *statements: str) -> None:
    with app.app_context(), db.engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def call(app: Flask, method: str) -> tuple[int, str]:
    body = {"identifier": "ann", "password": PASSWORD}
    api = Api(app)
    return slug_of(api.post("/auth/login", body) if method == "POST" else api.get("/users/me"))


def logged_since(number: int) -> str:
    return "\n".join(leaks.lines[number:])


def test_api_on_a_database_without_tables_is_503_with_the_mend_in_the_log(bare: Flask) -> None:
    before = len(leaks.lines)
    answer = Api(bare).post("/auth/login", {"identifier": "ann", "password": PASSWORD})
    assert slug_of(answer) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert MEND in logged_since(before)
    assert "Traceback" not in logged_since(before)


def test_page_on_a_database_without_tables_is_503(bare: Flask) -> None:
    answer = Browser(bare).sign_in("ann", PASSWORD)
    assert answer.status_code == 503
    assert "temporarily unavailable" in answer.text.lower()


def test_page_of_a_session_whose_table_is_missing_is_503(bare: Flask) -> None:
    migrate(bare)
    with bare.app_context():
        registration.register(Actor(), "ann", "ann@example.com", PASSWORD)
    browser = Browser(bare)
    browser.sign_in("ann", PASSWORD)
    assert browser.get("/tasks").status_code == 200
    run_sql(
        bare,
        "ALTER TABLE sessions RENAME TO former",
        "UPDATE alembic_version SET version_num = '0001'",
    )
    assert browser.get("/tasks").status_code == 503


def test_missing_column_is_503_while_the_migrations_are_behind(bare: Flask) -> None:
    migrate(bare)
    run_sql(
        bare,
        "ALTER TABLE users RENAME COLUMN password_hash TO former",
        "UPDATE alembic_version SET version_num = '0001'",
    )
    assert call(bare, "POST") == (503, "unavailable")


def test_missing_table_at_the_last_migration_is_a_bug(bare: Flask) -> None:
    migrate(bare)
    run_sql(bare, "ALTER TABLE users RENAME COLUMN password_hash TO former")
    assert call(bare, "POST") == (500, "internal-error")


def test_worker_says_in_one_line_what_to_do(
    bare: Flask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = len(leaks.lines)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    worker = Worker(bare, {}, 1)

    class Heartbeat(type(tmp_path)):  # type: ignore[misc]
        def touch(self, *_: object, **__: object) -> None:
            worker.stop()  # after this round

    worker.run(heartbeat=Heartbeat(tmp_path))
    assert MEND in logged_since(before)
    assert "Traceback" not in logged_since(before)


def test_error_of_another_kind_stays_what_it_is(bare: Flask) -> None:
    error = ZeroDivisionError()
    with bare.app_context():
        assert readiness.explained(error) is error
        assert isinstance(readiness.explained(_missing(bare)), Unavailable)


def _missing(app: Flask) -> Exception:
    with app.app_context(), db.engine.connect() as connection:
        cursor = connection.connection.cursor()
        with pytest.raises(Exception, match="tasks") as caught:
            cursor.execute("SELECT * FROM tasks")
    return caught.value
