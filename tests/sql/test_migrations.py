"""Migrations: up, down and up again on both databases, concurrently, and with existing rows."""

import logging
import os
import shutil
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import Column, Integer, Table, event, inspect, text

import config
from app.extensions import db
from app.models.task import SEARCH_TABLES
from app.services.operations import readiness
from app.services.shared.actor import Actor
from app.services.tasks import tasks
from app.services.users import registration
from tests.conftest import PASSWORD
from tests.support.databases import MIGRATIONS, PostgresServer, close, make_app, migrate
from tests.tools.check_migrations import drift, head, lint, offline_sql, revisions

# Runs `flask db upgrade` in processes that start at the same time.
MIGRATE_TOGETHER = """
import os
import sys

from flask_migrate import upgrade

from app import create_app
from app.cli import migrations

app = create_app()
migrations.init_app(app)
children = []
for _ in range(8):
    child = os.fork()
    if child == 0:
        with app.app_context():
            upgrade()
        os._exit(0)
    children.append(child)
print(*(os.waitpid(child, 0)[1] for child in children))
"""
REBUILD_ALL = """
from alembic import op

revision = "9999"
down_revision = "{head}"


def upgrade():
    for table in {tables}:
        with op.batch_alter_table(table, recreate="always"):
            pass
"""
REBUILD_USERS = """
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{head}"


def upgrade():
    with op.batch_alter_table("users", recreate="always") as batch:
        batch.add_column(sa.Column("nickname", sa.String(80)))
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'new.db'}"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.create(f"m{uuid.uuid4().hex[:8]}")


@pytest.fixture
def new_app(url: str) -> Iterator[Flask]:
    app = make_app(url)
    yield app
    close(app)


def tables(app: Flask) -> set[str]:
    with app.app_context():
        names = set(inspect(db.engine).get_table_names()) - {"alembic_version"}
    return {name for name in names if not name.startswith(SEARCH_TABLES)}


def test_up_makes_every_table_and_down_removes_it_and_up_makes_it_again(new_app: Flask) -> None:
    migrate(new_app)
    assert tables(new_app) == set(db.metadata.tables)
    with new_app.app_context():
        downgrade(directory=MIGRATIONS, revision="base")
    assert tables(new_app) == set()
    migrate(new_app)
    assert tables(new_app) == set(db.metadata.tables)


@pytest.mark.slow
def test_every_revision_goes_down_and_up_again_with_rows_in_place(new_app: Flask) -> None:
    migrate(new_app)
    with new_app.app_context():
        ann = Actor(id=registration.register(Actor(), "ann", "ann@example.com", PASSWORD).id)
        tasks.create(ann, {"title": "kept"})
        for before, revision in reversed(revisions()[1:]):
            downgrade(directory=MIGRATIONS, revision=before)
            upgrade(directory=MIGRATIONS, revision=revision)
            downgrade(directory=MIGRATIONS, revision=before)
        upgrade(directory=MIGRATIONS)
        assert [task.title for task in tasks.page(ann).items] == ["kept"]


def test_migrating_twice_changes_nothing(new_app: Flask) -> None:
    migrate(new_app)
    migrate(new_app)
    assert drift(new_app) == []


def test_migrations_give_what_the_models_say(app: Flask) -> None:
    assert drift(app) == []


def test_model_without_a_migration_is_noticed(app: Flask) -> None:
    extra = Table("extra", db.metadata, Column("id", Integer, primary_key=True))
    try:
        assert "extra" in "".join(drift(app))
    finally:
        db.metadata.remove(extra)


@pytest.mark.parametrize("revision", revisions(), ids=lambda pair: pair[1])
def test_revision_locks_no_table_for_long(
    postgresql_database: object, postgres: PostgresServer, revision: tuple[str, str]
) -> None:
    sql = offline_sql(make_app(postgres.url), *revision)
    assert "alembic_version" in sql
    assert lint(sql, revision[1]) == ""


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE INDEX ix_tasks_extra ON tasks (extra);",
        "-- squawk-ignore require-concurrent-index-creation\nCREATE INDEX ix_x ON tasks (extra);",
        "-- squawk-ignore prefer-robust-stmts, require-concurrent-index-creation\n"
        "CREATE INDEX ix_tasks_extra ON tasks (extra);",
        "ALTER TABLE tasks ADD COLUMN extra INTEGER NOT NULL;",
        "ALTER TABLE tasks RENAME COLUMN title TO name;",
        "ALTER TABLE tasks ALTER COLUMN title TYPE VARCHAR(10);",
    ],
)
def test_unsafe_statement_is_noticed(sql: str) -> None:
    assert lint(sql, "unsafe")


def refuse(_connection: object, _cursor: object, statement: str, *_: object) -> None:
    if "ix_tasks_owner_completed_at" in statement:
        raise ValueError(statement)


def test_migrations_that_fail_leave_whole_revisions_and_go_on(new_app: Flask) -> None:
    with new_app.app_context():
        event.listen(db.engine, "before_cursor_execute", refuse)
        with pytest.raises(ValueError, match="ix_tasks_owner_completed_at"):
            migrate(new_app)
        event.remove(db.engine, "before_cursor_execute", refuse)
        assert readiness.revision() == "20261130082854"
    migrate(new_app)
    assert drift(new_app) == []


def test_others_may_write_to_sqlite_between_two_revisions(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    app, written = make_app(f"sqlite:///{path}"), []

    def write(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement != "BEGIN IMMEDIATE":
            return
        with closing(sqlite3.connect(path, timeout=0)) as other, other:
            written.append(other.execute("SELECT version_num FROM alembic_version").fetchall())
            other.execute("UPDATE alembic_version SET version_num = version_num")

    with app.app_context():
        upgrade(directory=MIGRATIONS, revision="0001")
        event.listen(db.engine, "before_cursor_execute", write)
        upgrade(directory=MIGRATIONS)
        event.remove(db.engine, "before_cursor_execute", write)
    assert {before for before, _ in revisions()[1:]} <= {
        version for rows in written for (version,) in rows
    }
    close(app)


def test_index_of_a_build_that_failed_is_built_anew(postgres: PostgresServer) -> None:
    app = make_app(postgres.create("invalid"))
    with app.app_context():
        upgrade(directory=MIGRATIONS, revision="20261130082854")
        with db.engine.begin() as connection:
            connection.execute(text("CREATE INDEX ix_tasks_owner_status ON tasks (owner_id)"))
            connection.execute(
                text(
                    "UPDATE pg_index SET indisvalid = false"
                    " WHERE indexrelid = 'ix_tasks_owner_status'::regclass"
                )
            )
        upgrade(directory=MIGRATIONS)
        with db.engine.connect() as connection:
            definition = "SELECT pg_get_indexdef('ix_tasks_owner_status'::regclass)"
            assert "CASE" in connection.execute(text(definition)).scalar_one()
            invalid = "SELECT count(*) FROM pg_index WHERE NOT indisvalid"
            assert connection.execute(text(invalid)).scalar() == 0
    close(app)


def test_revision_that_meets_a_busy_table_is_tried_again(postgres: PostgresServer) -> None:
    app = make_app(postgres.create("busy"))
    with app.app_context():
        upgrade(directory=MIGRATIONS, revision="0004")
        with db.engine.connect() as writer:
            writer.execute(text("LOCK TABLE audit_events IN ROW EXCLUSIVE MODE"))

            def release(_record: logging.LogRecord) -> bool:
                writer.rollback()
                return True

            log = logging.getLogger("service.migrate")
            log.addFilter(release)
            upgrade(directory=MIGRATIONS)
            log.removeFilter(release)
        assert readiness.revision() == readiness.head()
    close(app)


@pytest.mark.slow
@pytest.mark.parametrize("start", ["base", "0004"])
def test_eight_processes_may_migrate_at_once(url: str, new_app: Flask, start: str) -> None:
    if start != "base":
        with new_app.app_context():
            upgrade(directory=MIGRATIONS, revision=start)
    environ = {**os.environ, "DATABASE_URL": url, "SECRET_KEY": new_app.config["SECRET_KEY"]}
    done = subprocess.run(
        [sys.executable, "-c", MIGRATE_TOGETHER],
        cwd=config.ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.stdout.split(), done.stderr) == (["0"] * 8, "")
    assert tables(new_app) == set(db.metadata.tables)
    assert drift(new_app) == []


def parts(app: Flask) -> dict[str, Any]:
    """Return the parts of an SQLite database's tables."""
    catalogue = "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE type != 'table'"
    with app.app_context(), db.engine.connect() as connection:
        inspector = inspect(connection)
        found: dict[str, Any] = {
            name: " ".join((sql or "").replace('"', "").split())
            for kind, name, table, sql in connection.execute(text(catalogue))
        }
        for table in inspector.get_table_names():
            found[table] = [
                str(inspector.get_columns(table)),
                inspector.get_pk_constraint(table),
                sorted(map(str, inspector.get_foreign_keys(table))),
                sorted(map(str, inspector.get_unique_constraints(table))),
                sorted(str(check["name"]) for check in inspector.get_check_constraints(table)),
            ]
    return found


def add_revision(folder: Path, source: str) -> str:
    """Create a copy of migrations/ with another revision."""
    shutil.copytree(MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / "9999_more.py").write_text(source, encoding="utf-8")
    return str(folder)


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection")
def test_rebuilding_tables_on_sqlite_loses_no_part_of_them(tmp_path: Path) -> None:
    app = make_app(f"sqlite:///{tmp_path / 'new.db'}")
    migrate(app)
    before = parts(app)
    assert {"uq_users_email", "audit_events_no_delete"} <= before.keys()
    source = REBUILD_ALL.format(head=head(), tables=sorted(db.metadata.tables))
    with app.app_context():
        upgrade(directory=add_revision(tmp_path / "migrations", source))
    assert parts(app) == before
    close(app)


def test_rebuilding_users_on_sqlite_leaves_their_tasks(tmp_path: Path) -> None:
    app = make_app(f"sqlite:///{tmp_path / 'new.db'}")
    migrate(app)
    folder = add_revision(tmp_path / "migrations", REBUILD_USERS.format(head=head()))
    with app.app_context():
        ann = Actor(id=registration.register(Actor(), "ann", "ann@example.com", PASSWORD).id)
        tasks.create(ann, {"title": "kept"})
    with app.app_context():
        upgrade(directory=folder)
        assert "nickname" in {column["name"] for column in inspect(db.engine).get_columns("users")}
        assert [task.title for task in tasks.page(ann).items] == ["kept"]
    close(app)


def test_foreign_keys_are_on_again_after_migrating(tmp_path: Path) -> None:
    app = make_app(f"sqlite:///{tmp_path / 'new.db'}")
    with app.app_context():
        upgrade(directory=MIGRATIONS)
        with db.engine.connect() as connection:
            assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1
    close(app)


def test_timeouts_are_the_services_again_after_migrating(postgres: PostgresServer) -> None:
    app = make_app(postgres.create("timeouts"))
    with app.app_context():
        upgrade(directory=MIGRATIONS)
        with db.engine.connect() as connection:
            assert connection.execute(text("SHOW statement_timeout")).scalar() != "10min"
            assert connection.execute(text("SHOW lock_timeout")).scalar() != "0"
    close(app)
