"""The statements behind a page of tasks: one for each combination of filters, built once.

The actor decides the shape. A user sees own and assigned tasks: two branches, each read in order
from its own index and cut to the page, then merged. One condition with OR would read and sort all
of them. A nullable sort key (NULLABLE) splits each branch once more, so that tasks without a value
come last in both directions.
"""

import functools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    func,
    or_,
    select,
    union_all,
)

from app.models import TASKS, Task
from app.models.task import LIVE, SHOWN, STATUS_RANK, TRASHED
from app.services.shared import paging
from app.services.tasks import filters as task_filters
from app.services.tasks.access import ASSIGNED, OWNED
from app.services.tasks.filters import Filters
from app.sql import Statement, preload

COLUMNS = [TASKS.c[name] for name in SHOWN]
SORTS: dict[str, ColumnElement[Any]] = {
    "created_at": TASKS.c.created_at,
    "updated_at": TASKS.c.updated_at,
    "due_at": TASKS.c.due_at,
    "priority": TASKS.c.priority,
    "title": func.lower(TASKS.c.title),
    "status": STATUS_RANK,
    "completed_at": TASKS.c.completed_at,
}
NULLABLE = ("due_at", "completed_at")  # a task without it comes last


@dataclass(slots=True, frozen=True)
class Shape:
    """The features of a list statement besides its parameters. Hashable: the key of the cache."""

    postgres: bool
    everyone: bool
    filters: Filters
    sort: str = "created_at"
    descending: bool = True
    resumed: bool = False  # behind a cursor
    among_missing: bool = False  # the cursor's row has no value in the sort key

    @property
    def trashed(self) -> bool:
        return bool(dict(self.filters).get("trashed"))


def read(
    shape: Shape, values: dict[str, Any], *, counted: bool = False
) -> tuple[list[Any], int | None]:
    """Return the rows of a page and, if `counted`, the number of all matching tasks.

    `values` are the bind parameters; `size` is the number of rows of a full page.
    """
    rows = page(shape, counted=counted).all(**values)
    if not counted:
        return rows, None
    if not rows and shape.resumed:  # no row holds the total; tasks may lie before the cursor
        total = count(Shape(shape.postgres, shape.everyone, shape.filters)).scalar(**values)
        return rows, total
    return rows, rows[0].total if rows else 0


@functools.lru_cache(maxsize=512)
def page(shape: Shape, *, counted: bool = False) -> Statement[Any]:
    """Return the statement of a page. `counted` adds the `total` of all matching tasks to each row:
    the database counts once, and a round trip is saved."""
    query = _page(shape)
    if counted:
        query = query.add_columns(total(shape).correlate(None).scalar_subquery().label("total"))
    # Without filters the plan is the same for every actor: the index is read in order.
    return Statement(query, prepared=not shape.filters and not counted)


@preload
def usual_pages() -> None:
    """Build the statements of the usual pages of PostgreSQL."""
    for counted in (False, True):
        page(Shape(postgres=True, everyone=False, filters=()), counted=counted)


@functools.lru_cache(maxsize=512)
def count(shape: Shape) -> Statement[Any]:
    return Statement(total(shape))


def _page(shape: Shape) -> Select[Any]:
    return in_order(shape, task_filters.conditions(shape.filters, postgres=shape.postgres))


def in_order(shape: Shape, matching: Sequence[ColumnElement[bool]]) -> Select[Any]:
    """Return a page of the `matching` tasks: each branch is read in order and cut to the page."""
    key, row_id = SORTS[shape.sort], TASKS.c.id
    queries = (
        paging.ordered(columns(shape).where(*branch, *matching), key, row_id, shape.descending)
        for branch in branches(shape)
    )
    return merged(queries, shape)


def total(shape: Shape) -> Select[Any]:
    visible = or_(*(and_(*conditions) for conditions in seen(shape)))
    query = select(func.count().label("total")).select_from(Task)
    matching = task_filters.conditions(shape.filters, postgres=shape.postgres)
    return query.where(visible, *matching)


def columns(shape: Shape) -> Select[Any]:
    """Return a SELECT of a task's columns and its `sort_key`."""
    query: Select[Any] = select(*COLUMNS, SORTS[shape.sort].label("sort_key"))
    return query


def branches(shape: Shape) -> Iterator[list[ColumnElement[bool]]]:
    """Return the conditions of each part of a list that an index holds in order."""
    return ([*some, *place] for some, place in product(seen(shape), places(shape)))


def merged(queries: Iterable[Select[Any]], shape: Shape) -> Select[Any]:
    """Return a page of several ordered queries."""
    cut = [query.limit(bindparam("size")) for query in queries]
    if len(cut) == 1:
        return cut[0]
    union = union_all(*(select(each.subquery()) for each in cut)).subquery()
    return sorted_page(select(*union.c), union.c.sort_key, union.c.id, shape)


def sorted_page(
    query: Select[Any], key: ColumnElement[Any], row_id: ColumnElement[str], shape: Shape
) -> Select[Any]:
    """Return a page of an unordered query.

    Only a nullable key gets NULLS LAST. An expression before the key would make PostgreSQL sort
    four times as long.
    """
    if shape.sort in NULLABLE:
        key_order = (key.desc() if shape.descending else key.asc()).nulls_last()
        query = query.order_by(key_order, row_id.desc() if shape.descending else row_id)
    else:
        query = paging.ordered(query, key, row_id, shape.descending)
    return query.limit(bindparam("size"))


def seen(shape: Shape) -> list[list[ColumnElement[bool]]]:
    """Return the conditions of each branch of the actor's visible tasks."""
    if shape.trashed:
        return [[TRASHED] if shape.everyone else [TRASHED, OWNED]]
    if shape.everyone:
        return [[LIVE]]
    return [[LIVE, OWNED], [LIVE, ASSIGNED, ~OWNED]]


def places(shape: Shape) -> list[list[ColumnElement[bool]]]:
    """Return the conditions of each range to read: behind the cursor, and rows without a key."""
    key, row_id = SORTS[shape.sort], TASKS.c.id
    at, last_id = bindparam("at", type_=key.type), bindparam("last_id", type_=row_id.type)
    behind = [paging.behind(key, row_id, shape.descending, at, last_id)] if shape.resumed else []
    if shape.sort not in NULLABLE:
        return [behind]
    tail = row_id < last_id if shape.descending else row_id > last_id
    if shape.among_missing:
        return [[key.is_(None), tail]]
    return [[key.is_not(None), *behind], [key.is_(None)]]
