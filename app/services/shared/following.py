"""Lists for following clients, which poll from the newest time stamp that they have seen.

Rows are stamped before the commit, so older stamps may become visible after newer ones. Such a list
therefore ends before the oldest stamp of a running transaction, and no transaction may store a
stamp at or before the end of a list. PostgreSQL enforces both in
migrations/versions/20261130080541_following.py. On SQLite a transaction takes the only write lock
before it stamps, so that stamps are in the order of commits.
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
    """Return the rows of `read(until)`, with an `until` before all rows not yet visible.

    `moment` names the column that `until` bounds. The first read finds the newest stamp: a poll
    without news costs one statement and disturbs no writer.
    """
    rows = read(ANY_MOMENT)
    if not rows or sql.request_connection().dialect.name != "postgresql":
        return rows
    return read(_bound.scalar(newest=max(getattr(row, moment) for row in rows)))
