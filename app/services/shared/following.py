"""Lists for clients that follow along, each time from the newest moment that they have seen.

Moments are stamped before the commit, so a moment that is visible says nothing about older ones:
their transactions may still run. Such a list therefore ends before the oldest stamp of a running
transaction, and no transaction may store a stamp at or before one that was handed out. PostgreSQL
keeps both in migrations/versions/20261130080541_following.py. On SQLite a transaction holds the
only write lock before it stamps, so that its moments are in the order of its commits.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from sqlalchemy import bindparam, func, select

from app import sql
from app.models.types import UTCDateTime
from app.sql import Statement

T = TypeVar("T")
ANY_MOMENT = datetime.max.replace(tzinfo=UTC)


_bound = Statement[object](
    select(
        func.follow_until(bindparam("newest", type_=UTCDateTime()), type_=UTCDateTime()).label(
            "until"
        )
    )
)


def settled(read: Callable[[datetime], list[T]], moment: str) -> list[T]:
    """The rows of `read(until)`, where none at or before `until` is still to become visible.

    `moment` names the column that `until` bounds. The first reading finds how far to go: a client
    that finds nothing new costs one statement and disturbs no writer.
    """
    rows = read(ANY_MOMENT)
    if not rows or sql.request_connection().dialect.name != "postgresql":
        return rows
    return read(_bound.scalar(newest=max(getattr(row, moment) for row in rows)))
