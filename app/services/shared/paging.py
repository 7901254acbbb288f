"""Pages of a list by keyset: the same cost at any depth, and no row lost between two pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, or_, select

from app.services.shared import following
from app.sql import Statement

T = TypeVar("T")
LIMIT_DEFAULT, LIMIT_MAX = 20, 100
Q_MAX = 200  # characters of a search


@dataclass(slots=True, frozen=True)
class PageRequest:
    """The part of a list to read: up to `limit` rows behind the row `after`, a page's `last`.

    `count` asks for the `total` as well, which costs a count of all matching rows.
    """

    limit: int = LIMIT_DEFAULT
    after: list[Any] | None = None
    count: bool = False


FIRST_PAGE = PageRequest()


@dataclass(slots=True, frozen=True)
class Page(Generic[T]):
    """A page. `last` is the place after which the next page starts, None for the last page."""

    items: Sequence[T]
    last: list[Any] | None = None
    total: int | None = None


def cut(rows: list[T], limit: int, key: str, total: int | None = None) -> Page[T]:
    """Return the page of `rows`, ordered by `key` and id, with one row more than `limit`."""
    if len(rows) <= limit:
        return Page(rows, None, total)
    final = rows[limit - 1]
    return Page(rows[:limit], [getattr(final, key), getattr(final, "id")], total)  # noqa: B009


def behind(
    key: ColumnElement[Any], row_id: ColumnElement[str], descending: bool, at: Any, last_id: Any
) -> ColumnElement[bool]:
    """Return the condition of the rows behind `at`, `last_id`, in a form that uses the index on
    both databases."""
    if descending:
        return and_(key <= at, or_(key < at, row_id < last_id))
    return and_(key >= at, or_(key > at, row_id > last_id))


def ordered(
    query: Select[Any], key: ColumnElement[Any], row_id: ColumnElement[str], descending: bool
) -> Select[Any]:
    if descending:
        return query.order_by(key.desc(), row_id.desc())
    return query.order_by(key, row_id)


def moment(value: Any) -> Any:
    """Return a cursor's text as the time that the sort key needs."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def read(
    model: type[T],
    conditions: Sequence[ColumnElement[bool]],
    request: PageRequest,
    *,
    descending: bool = True,
    followed: bool = False,
) -> Page[T]:
    """Return a page of a table by `created_at`, for lists that are not on the hot path.

    `followed`: clients poll from the newest time stamp (app.services.shared.following).
    """
    table: Any = model.__table__  # type: ignore[attr-defined]
    query = select(*table.c).where(*conditions).limit(request.limit + 1)
    if request.after:
        key, last_id = request.after
        at = bindparam("at", moment(key), type_=table.c.created_at.type)
        query = query.where(behind(table.c.created_at, table.c.id, descending, at, last_id))
    query = ordered(query, table.c.created_at, table.c.id, descending)

    def until(moment: datetime) -> list[T]:
        return Statement[T](query.where(table.c.created_at <= moment)).all()

    rows = following.settled(until, "created_at") if followed else Statement[T](query).all()
    total = None
    if request.count:
        number = select(func.count().label("total")).select_from(table).where(*conditions)
        total = Statement[Any](number).scalar()
    return cut(rows, request.limit, "created_at", total)
