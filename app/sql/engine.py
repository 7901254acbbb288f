"""The engine of SQLAlchemy: its options, and the setup of each new connection."""

import sqlite3
import time
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import orjson
import psycopg2.extensions
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection

from app.product import SLUG
from app.sql import watchdog

UUID_OID = 2950
BUSY_TIMEOUT = 20  # seconds that a writer of SQLite waits for the write lock
# PostgreSQL cancels a longer statement; no request needs one. app.sql.watchdog closes the
# connection a little later if the server does not cancel the statement.
POSTGRES_SETTINGS = {
    "timezone": "UTC",
    "statement_timeout": "4s",
    "lock_timeout": "3s",
    "idle_in_transaction_session_timeout": "30s",
}


def init_app(engine: Engine) -> None:
    event.listen(engine, "connect", _on_connect)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "begin", _begin)
    else:
        watchdog.init_app(engine)


def options(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return SQLALCHEMY_ENGINE_OPTIONS for Flask-SQLAlchemy."""
    values: dict[str, Any] = {
        "json_serializer": lambda value: orjson.dumps(value, option=orjson.OPT_UTC_Z).decode(),
        "json_deserializer": orjson.loads,
        "pool_size": settings["DATABASE_POOL_SIZE"],
        "max_overflow": 0,  # a thread holds at most one connection
        "pool_timeout": 5,  # seconds
    }
    if settings["SQLALCHEMY_DATABASE_URI"].startswith("sqlite"):
        values["paramstyle"] = "named"  # app.sql passes every driver a dict
        values["connect_args"] = {"timeout": BUSY_TIMEOUT, "check_same_thread": False}
    else:
        server = " ".join(f"-c {name}={value}" for name, value in POSTGRES_SETTINGS.items())
        values["connect_args"] = {
            "options": server,
            "application_name": SLUG,
            "keepalives_idle": 5,
            "keepalives_interval": 2,
            "keepalives_count": 2,
            "tcp_user_timeout": 5000,  # milliseconds
        }
    return values


def _on_connect(connection: DBAPIConnection, _record: object) -> None:
    if isinstance(connection, psycopg2.extensions.connection):
        # Ids are text everywhere: a UUID object for each costs more than reading the row.
        text = psycopg2.extensions.new_type((UUID_OID,), "TEXT_UUID", psycopg2.STRING)
        psycopg2.extensions.register_type(text, connection)
        return
    connection.isolation_level = None  # _begin and app.sql send BEGIN, not the driver
    connection.create_function("gen_random_uuid", 0, lambda: str(uuid4()))  # as in PostgreSQL
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys=ON")
    _to_wal(cursor)
    cursor.execute("PRAGMA synchronous=FULL")  # an acknowledged write survives a power cut
    cursor.close()


def _to_wal(cursor: Any) -> None:
    """Switch the file to WAL. SQLite refuses at once while another process does so: try again."""
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
    """Take SQLite's write lock first: a reader that becomes a writer cannot wait for the lock."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")
