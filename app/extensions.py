"""The extension objects, created unbound and attached to the app by the factory."""

import sqlite3
import time
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import orjson
import psycopg2.extensions
from flask import Flask
from flask_login import LoginManager
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect
from sqlalchemy import Connection, MetaData, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import DeclarativeBase

from app import deadline
from app.lazy import lazy

if TYPE_CHECKING:
    import flask_migrate
else:
    flask_migrate = lazy("flask_migrate")

UUID_OID = 2950
BUSY_TIMEOUT = 20  # seconds that a writer of SQLite waits for its turn
# A statement that takes longer than this is given up: nothing that a client may ask for needs it.
# app.deadline gives up a little later, should the server not do it.
POSTGRES_SETTINGS = {
    "timezone": "UTC",
    "statement_timeout": "4s",
    "lock_timeout": "3s",
    "idle_in_transaction_session_timeout": "30s",
}


class Base(DeclarativeBase):
    """The base of every model. Named constraints keep migrations reversible."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


db = SQLAlchemy(metadata=Base.metadata)
csrf = CSRFProtect()
login_manager = LoginManager()


class Migrations:
    """Flask-Migrate, once a command asks for it: alembic takes 0.1 s of CPU to load, and 8 MB."""

    def __init__(self, app: Flask) -> None:
        self._app = app

    def __getattr__(self, name: str) -> Any:
        options: dict[str, Any] = {"directory": "migrations", "render_as_batch": True}
        command = self._app.cli.commands["db"]
        # Flask-Migrate puts its own objects in the place of both.
        flask_migrate.Migrate(self._app, db, **options, compare_type=True)
        self._app.cli.add_command(command)
        return getattr(self._app.extensions["migrate"], name)


def init_app(app: Flask) -> None:
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = _engine_options(app)
    db.init_app(app)
    app.extensions["migrate"] = Migrations(app)
    csrf.init_app(app)
    # Its processor would read the session for each template, the page of a lost database included.
    login_manager.init_app(app, add_context_processor=False)
    # It would open the session at each request for the sake of its own remember cookie.
    app.after_request_funcs[None].remove(login_manager._update_remember_cookie)
    with app.app_context():
        event.listen(db.engine, "connect", _on_connect)
        if db.engine.dialect.name == "sqlite":
            event.listen(db.engine, "begin", _begin)
        else:
            deadline.init_app(db.engine)


def _engine_options(app: Flask) -> dict[str, Any]:
    options: dict[str, Any] = {
        "json_serializer": lambda value: orjson.dumps(value, option=orjson.OPT_UTC_Z).decode(),
        "json_deserializer": orjson.loads,
        "pool_size": app.config["DATABASE_POOL_SIZE"],
        "max_overflow": 0,  # a thread holds one connection at the most
        "pool_timeout": 5,  # seconds
    }
    if app.config["SQLALCHEMY_DATABASE_URI"].startswith("sqlite"):
        options["paramstyle"] = "named"  # so that app.sql hands every driver a dict
        options["connect_args"] = {"timeout": BUSY_TIMEOUT, "check_same_thread": False}
    else:
        settings = " ".join(f"-c {name}={value}" for name, value in POSTGRES_SETTINGS.items())
        options["connect_args"] = {
            "options": settings,
            "application_name": "flagstone",
            "keepalives_idle": 5,
            "keepalives_interval": 2,
            "keepalives_count": 2,
            "tcp_user_timeout": 5000,  # milliseconds
        }
    return options


def _on_connect(connection: DBAPIConnection, _record: object) -> None:
    if isinstance(connection, psycopg2.extensions.connection):
        # Ids stay text from end to end: a UUID object for each costs more than reading the row.
        text = psycopg2.extensions.new_type((UUID_OID,), "TEXT_UUID", psycopg2.STRING)
        psycopg2.extensions.register_type(text, connection)
        return
    connection.isolation_level = None  # BEGIN is ours to say, see _begin and app.sql
    connection.create_function("gen_random_uuid", 0, lambda: str(uuid4()))  # PostgreSQL has it
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys=ON")
    _to_wal(cursor)
    cursor.execute("PRAGMA synchronous=FULL")  # an acknowledged write survives a power cut
    cursor.close()


def _to_wal(cursor: Any) -> None:
    """Processes that turn a new file to WAL at once are refused, and not made to wait."""
    ends = time.monotonic() + BUSY_TIMEOUT
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > ends:
                raise
            time.sleep(0.05)
        else:
            return


def _begin(connection: Connection) -> None:
    """Take SQLite's write lock first: a reader that turns writer half-way cannot wait for it."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")
