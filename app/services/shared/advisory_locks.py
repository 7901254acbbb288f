"""Locks by name, held until the transaction ends.

On SQLite every transaction already holds the only write lock.
"""

from sqlalchemy import func, select, text

from app import sql
from app.sql import ROW_KEY, Statement

_number = func.hashtextextended(ROW_KEY, text("0"))
_wait = Statement[object](select(func.pg_advisory_xact_lock(_number).label("lock")))
_try = Statement[object](select(func.pg_try_advisory_xact_lock(_number).label("got")))


def wait(name: str) -> None:
    """Wait for the lock and take it."""
    if sql.request_connection().dialect.name == "postgresql":
        _wait.one(key=name)


def take(name: str) -> bool:
    """Return True if the lock was free and is now taken."""
    if sql.request_connection().dialect.name != "postgresql":
        return True
    return bool(_try.scalar(key=name))
