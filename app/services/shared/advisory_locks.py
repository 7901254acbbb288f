"""Locks by name, held until the transaction ends.

On SQLite every transaction already holds the only write lock.
"""

from typing import Any

from sqlalchemy import ColumnElement, func, select, text

from app import sql
from app.sql import ROW_KEY, Statement


def _number(name: Any) -> ColumnElement[int]:
    return func.hashtextextended(name, text("0"))


def taken(name: Any) -> ColumnElement[bool]:
    """Return the expression that takes the lock and is true if the lock was free.

    Other parts of the statement may see the database as it was before.
    """
    return func.pg_try_advisory_xact_lock(_number(name)).label("got")


_wait = Statement[object](select(func.pg_advisory_xact_lock(_number(ROW_KEY)).label("lock")))


def wait(name: str) -> None:
    """Wait for the lock and take it. The next statement sees what its last holder has stored."""
    if sql.request_connection().dialect.name == "postgresql":
        _wait.defer(key=name)
