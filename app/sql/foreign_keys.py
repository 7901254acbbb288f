"""The foreign key that a statement violates, and the side at fault: the statement or other rows.

PostgreSQL names the key. SQLite does not: there the statement runs again with deferred keys, a
PRAGMA lists the rows that violate one, and everything is rolled back.
"""

import logging
import re
import sqlite3
from typing import Any

import psycopg2
from sqlalchemy import ForeignKeyConstraint

from app.models.base import Base
from app.sql.errors import MissingReference, StillReferenced

Violation = MissingReference | StillReferenced
VIOLATED = "23503"  # SQLSTATE
RESTRICTED = "23001"
_log = logging.getLogger("service.sql")
_DETAIL = re.compile(r"\(([^)]*)\)=\(")  # Key (team_id)=(...), in any language
_WRITE = re.compile(r'\s*(INSERT INTO|UPDATE|DELETE FROM)\s+"?(\w+)', re.IGNORECASE)


def explained(error: Exception, pooled: Any, sql: str, params: Any) -> Violation | None:
    """Return the violation behind `error`, None if no known foreign key is violated.

    `pooled` is the connection on which `sql` failed with `params`.
    """
    violation: Violation | None = None
    if isinstance(error, psycopg2.Error):
        violation = _of_postgres(error)
    elif isinstance(error, sqlite3.IntegrityError) and str(error).startswith("FOREIGN KEY"):
        violation = _of_sqlite(pooled, sql, params)
    if violation is not None:
        _log.warning("A statement has violated a foreign key: %s", violation.constraint)
    return violation


def _of_postgres(error: psycopg2.Error) -> Violation | None:
    if error.pgcode == RESTRICTED:
        return StillReferenced(error.diag.constraint_name or "")
    if error.pgcode != VIOLATED:
        return None
    detail = _DETAIL.search(error.diag.message_detail or "")
    for key in _keys(error.diag.table_name or ""):
        if key.name == error.diag.constraint_name:
            if detail and detail[1].split(", ") != key.column_keys:
                return StillReferenced(str(key.name))
            return _dangling(key)
    return None


def _of_sqlite(pooled: Any, sql: str, params: Any) -> Violation | None:
    write = _WRITE.match(sql)
    if write is None:
        return None
    if write[1].upper() == "DELETE FROM":
        return StillReferenced(write[2])
    cursor = pooled.cursor()
    try:
        column = _broken_column(cursor, write[2], sql, params)
    except sqlite3.Error:  # busy, or a key that cannot be deferred
        column = ""
    finally:
        cursor.close()
    if not column:
        return StillReferenced(write[2])
    for key in _keys(write[2]):
        if key.column_keys[0] == column:
            return _dangling(key)
    return None


def _broken_column(cursor: Any, table: str, sql: str, params: Any) -> str:
    """Return the column of `table` whose key `sql` violates; "" for a key of another table."""
    cursor.execute("SAVEPOINT look")
    try:
        cursor.execute("PRAGMA defer_foreign_keys = ON")
        cursor.execute(sql, params)
        broken = cursor.execute(f'PRAGMA foreign_key_check("{table}")').fetchone()
        keys = cursor.execute(f'PRAGMA foreign_key_list("{table}")').fetchall()
    finally:
        cursor.execute("ROLLBACK TO look")
        cursor.execute("PRAGMA defer_foreign_keys = OFF")
        cursor.execute("RELEASE look")
    return next((key[3] for key in keys if broken and key[0] == broken[3]), "")


def _keys(table: str) -> list[ForeignKeyConstraint]:
    model_table = Base.metadata.tables.get(table)
    return [] if model_table is None else list(model_table.foreign_key_constraints)


def _dangling(key: ForeignKeyConstraint) -> MissingReference:
    return MissingReference(str(key.name), key.column_keys[0], key.referred_table.name)
