"""Databases to test on: SQLite in a file, and a real PostgreSQL that is started for the run."""

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
# What is lost with the machine's power is of no account here.
HASTY = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class PostgresServer:
    """Makes databases beside the one that `url` names; its role has to be allowed to."""

    def __init__(self, url: str) -> None:
        self.url = url

    def create(self, name: str) -> str:
        """The URL of a new empty database, in place of one that an earlier run has left."""
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
    """The server that TEST_DATABASE_URL names, or one that lives as long as this context."""
    if url := os.environ.get("TEST_DATABASE_URL", ""):
        if "test" not in (make_url(url).database or ""):
            raise ValueError("TEST_DATABASE_URL must name a database with 'test' in its name.")
        yield PostgresServer(url.replace("postgres://", "postgresql://", 1))
        return
    with embedded_postgres.running(HASTY) as server:

        def end(_number: int, _frame: object) -> None:
            """A run that is told to stop (a time-out, a cancelled job) leaves no server behind."""
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
    """The service on the database at `url`."""
    environ = {
        "APP_ENV": "testing",
        "SECRET_KEY": "0123456789abcdef-of-the-tests-alone",
        "DATABASE_URL": url,
        "LOG_LEVEL": "INFO",  # a line for each request: see tests.support.leaks
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
    """Let go of all connections in the pool."""
    with app.app_context():
        db.engine.dispose()


class Database:
    """An app on a database of its own, which `empty` makes as it was when it was new."""

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
        """Put a new file in place of the old one, which a statement that failed may still hold."""
        close(self.app)
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self.path}{suffix}").unlink(missing_ok=True)
        shutil.copyfile(self.template, self.path)


class PostgresDatabase(Database):
    def empty(self) -> None:
        """For a few rows deleting is quicker than TRUNCATE; the audit trail would refuse it."""
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
