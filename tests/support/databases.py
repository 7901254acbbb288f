"""The databases of the tests: SQLite in a file, and a PostgreSQL server started for the run."""

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2
import psycopg2.extensions
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection

import config
from app import create_app
from app.cli import migrations
from app.extensions import db
from tests.support import embedded_postgres

MIGRATIONS = str(config.ROOT / "migrations")
# Durability does not matter here.
HASTY = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class PostgresServer:
    """A server that creates databases beside the one of `url`, whose role needs CREATEDB."""

    def __init__(self, url: str) -> None:
        self.url = url

    def create(self, name: str) -> str:
        """Create an empty database, in place of one of an earlier run, and return its URL."""
        base = make_url(self.url)
        full = f"{base.database}_{name}"
        self.execute(f'DROP DATABASE IF EXISTS "{full}" WITH (FORCE)')
        self.execute(f'CREATE DATABASE "{full}"')
        return base.set(database=full).render_as_string(hide_password=False)

    def execute(self, sql: str) -> None:
        with closing(psycopg2.connect(self.url)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(sql)


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Yield the server of TEST_DATABASE_URL, or a new one for this context."""
    if url := os.environ.get("TEST_DATABASE_URL", ""):
        if "test" not in (make_url(url).database or ""):
            raise ValueError("TEST_DATABASE_URL must name a database with 'test' in its name.")
        yield PostgresServer(url.replace("postgres://", "postgresql://", 1))
        return
    with embedded_postgres.running(HASTY) as server:

        def end(_number: int, _frame: object) -> None:
            """Stop the server and exit at SIGTERM (a timeout, a cancelled job)."""
            server.stop()
            shutil.rmtree(server.folder, ignore_errors=True)
            os._exit(1)

        before = signal.signal(signal.SIGTERM, end)
        try:
            PostgresServer(server.url()).execute("CREATE DATABASE test")
            yield PostgresServer(server.url("test"))
        finally:
            signal.signal(signal.SIGTERM, before)


def make_app(url: str, **settings: str) -> Flask:
    """Return the service on the database at `url`."""
    environ = {
        "APP_ENV": "testing",
        "SECRET_KEY": "0123456789abcdef-of-the-tests-alone",
        "DATABASE_URL": url,
        "LOG_LEVEL": "INFO",  # logs each request, for tests.support.leaks
    }
    app = create_app(config.load({**environ, **settings}))
    migrations.init_app(app)  # as `flask db` does
    if url.startswith("sqlite:"):
        with app.app_context():
            event.listen(db.engine, "connect", _hasten)
    return app


def _hasten(connection: DBAPIConnection, _record: object) -> None:
    connection.cursor().execute("PRAGMA synchronous = OFF")


def migrate(app: Flask) -> None:
    with app.app_context():
        upgrade(directory=MIGRATIONS)


def close(app: Flask) -> None:
    """Close all connections in the pool."""
    with app.app_context():
        db.engine.dispose()


class Database:
    """An app with its own database, which `empty` resets."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        migrate(app)

    def empty(self) -> None:
        raise NotImplementedError


class SqliteDatabase(Database):
    def __init__(self, path: Path, **settings: str) -> None:
        super().__init__(make_app(f"sqlite:///{path}", **settings))
        close(self.app)
        self.path, self.template = path, path.with_suffix(".template")
        shutil.copyfile(path, self.template)

    def empty(self) -> None:
        """Replace the file, because a failed statement may still hold the old one open."""
        close(self.app)
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self.path}{suffix}").unlink(missing_ok=True)
        shutil.copyfile(self.template, self.path)


class PostgresDatabase(Database):
    def empty(self) -> None:
        """Delete all rows: for few rows faster than TRUNCATE, which the audit trail refuses."""
        deletes = [f"{table.delete()}" for table in reversed(db.metadata.sorted_tables)]
        trigger = "ALTER TABLE audit_events {} TRIGGER USER"
        statements = [
            trigger.format("DISABLE"),
            *deletes,
            trigger.format("ENABLE"),
            "SELECT setval('followed_until', 0, false)",
        ]
        with self.app.app_context(), db.engine.begin() as connection:
            connection.exec_driver_sql(";".join(statements))  # in one round trip
