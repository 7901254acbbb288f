"""Locks by name, held until the transaction ends.

On SQLite a transaction holds the only write lock there is from its start: nothing more is needed.
"""

from sqlalchemy import func, select, text

from app import sql
from app.sql import ROW_KEY, Statement

_number = func.hashtextextended(ROW_KEY, text("0"))
_wait = Statement[object](select(func.pg_advisory_xact_lock(_number).label("lock")))
_try = Statement[object](select(func.pg_try_advisory_xact_lock(_number).label("got")))


def wait(name: str) -> None:
    """Hold the lock, after whoever holds it."""
    if sql.request_connection().dialect.name == "postgresql":
        _wait.one(key=name)


def take(name: str) -> bool:
    """Hold the lock, unless somebody else does."""
    if sql.request_connection().dialect.name != "postgresql":
        return True
    return bool(_try.scalar(key=name))
