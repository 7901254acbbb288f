"""The statements behind a page of tasks that a search finds.

Both databases read a page in one of two ways. For a rare word the index returns the tasks, which
are then sorted. For a common word that is too slow for a page of 20: the list is read in its order,
and the words of each task are compared, until the page is full.

The first NEAR tasks of the list are read in the second way, and often fill the page. If they hold
a part of the page, the rest of it is often among the first FARTHEST. Otherwise the number of hits
decides: above FEW, reading the list to its end is faster than sorting the hits. SQLite counts the
hits in its index. PostgreSQL cannot count them without reading each task; its planner estimates the
number from its statistics of words.
"""

import functools
from typing import Any

from sqlalchemy import (
    ColumnClause,
    ColumnElement,
    Select,
    Subquery,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    or_,
    select,
    union_all,
)
from sqlalchemy.sql import visitors

from app.models import TASKS, Task
from app.models.task import LIVE, SHOWN, STATUS_RANK, STATUSES, TRASHED
from app.services.shared import paging
from app.services.tasks import filters as task_filters, page_queries, search
from app.services.tasks.access import OWNED
from app.services.tasks.filters import Filters
from app.services.tasks.page_queries import SORTS, Shape
from app.sql import Statement, preload

NEAR = 250  # tasks of each branch of the list
NEXT, FARTHEST = 4 * NEAR, 16 * NEAR  # at most so many are read next and last
SPARE = 1.5  # times as many are read as fill the page on average
FEW = 20_000  # hits: at most so many are sorted


def read(
    shape: Shape, values: dict[str, Any], *, counted: bool = False
) -> tuple[list[Any], int | None]:
    """Return the rows of a page and, if `counted`, the number of all matching tasks.

    `values` are the bind parameters; `size` is the number of rows of a full page.
    """
    rows = _near(shape).all(**values, near=NEAR)
    if len(rows) < values["size"] and _is_long(shape, values):
        rows = _further(shape, values, len(rows))
    if not counted:
        return rows, None
    total = _count(Shape(shape.postgres, shape.everyone, shape.filters)).scalar(**values)
    return rows, total


def _is_long(shape: Shape, values: dict[str, Any]) -> bool:
    """Return False if NEAR tasks are all of the list. Few users have more."""
    filters = tuple(one for one in shape.filters if one[0] == "trashed")
    whole = Shape(shape.postgres, shape.everyone, filters)
    return _beyond(whole).one(**values, near=NEAR) is not None


def _further(shape: Shape, values: dict[str, Any], matching: int) -> list[Any]:
    """Return the rows of a page if the first NEAR tasks hold only `matching` of them.

    These tell how many tasks are likely to fill the page.
    """
    size, near = values["size"], NEAR
    for limit in (NEXT, FARTHEST):
        if not matching or (limit == FARTHEST and matching * FARTHEST < near * size):
            break
        near = min(int(near * size / matching * SPARE), limit)
        rows = _near(shape).all(**values, near=near)
        if len(rows) >= size:
            return rows
        matching = len(rows)
    return _rest(shape, common=_is_common(shape, values)).all(**values)


def _is_common(shape: Shape, values: dict[str, Any]) -> bool:
    """Return True if the search has many hits, False without a count for a list of all tasks."""
    if shape.everyone or not values["q"]:
        return False
    if shape.postgres:
        return search.estimated(values["q_words"]) > FEW
    return any(search.further.one(query=values[q], few=FEW) for q in ("q_words", "q"))


def _rest(shape: Shape, *, common: bool) -> Statement[Any]:
    """Return the statement that reads the whole list in order for a common word, else the index.

    With another filter PostgreSQL intersects two indexes before it reads a task.
    """
    if common and not (shape.postgres and len(shape.filters) > 1):
        return _walked(shape)
    return _indexed(shape, common=common)


@functools.lru_cache(maxsize=512)
def _near(shape: Shape) -> Statement[Any]:
    """Return the matching tasks among the first NEAR tasks of the list, in its order."""
    matching = task_filters.conditions(shape.filters, postgres=shape.postgres, from_index=False)
    key, row_id, queries = SORTS[shape.sort], TASKS.c.id, []
    start = task_filters.conditions(_bounds(shape), postgres=shape.postgres)
    for branch in page_queries.branches(shape):
        all_columns = select(*TASKS.c, key.label("sort_key")).where(*branch, *start)
        first = paging.ordered(all_columns, key, row_id, shape.descending).limit(bindparam("near"))
        # Under the table's own name, which conditions in plain SQL use.
        near = first.subquery(Task.__tablename__)
        query: Select[Any] = select(*(near.c[name] for name in SHOWN), near.c.sort_key)
        query = query.where(*(_of(near, condition) for condition in matching))
        queries.append(paging.ordered(query, near.c.sort_key, near.c.id, shape.descending))
    return Statement(page_queries.merged(queries, shape))


def _bounds(shape: Shape) -> Filters:
    """Return the filters where the list starts, `created_before` for the newest first.

    Behind a cursor the list starts at the cursor. There SQLite would read from a second bound on.
    """
    if shape.resumed or not shape.sort.endswith("_at"):
        return ()
    name = shape.sort.removesuffix("_at") + ("_before" if shape.descending else "_after")
    return tuple(one for one in shape.filters if one[0] == name)


def _of(near: Subquery, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return a condition on tasks as a condition on the subquery."""

    def replaced(element: Any, **_: Any) -> Any:
        is_column = isinstance(element, ColumnClause) and element.table is not None
        return near.c[element.key] if is_column else None

    return visitors.replacement_traverse(condition, {}, replaced)


@functools.lru_cache(maxsize=512)
def _walked(shape: Shape) -> Statement[Any]:
    """Return the matching tasks of the whole list, read in its order."""
    matching = task_filters.conditions(shape.filters, postgres=shape.postgres, from_index=False)
    return Statement(page_queries.in_order(shape, matching))


@functools.lru_cache(maxsize=512)
def _indexed(shape: Shape, *, common: bool = False) -> Statement[Any]:
    """Return the hits of the search index, sorted; for a `common` word also by the status index."""
    query = page_queries.columns(shape).where(*_conditions(shape))
    if common:
        query = query.where(*(_ranked(size) for name, size in shape.filters if name == "status"))
    if shape.resumed:
        query = query.where(or_(*(and_(*place) for place in page_queries.places(shape))))
    if not shape.postgres:
        return Statement(page_queries.sorted_page(query, SORTS[shape.sort], TASKS.c.id, shape))
    # OFFSET 0 keeps PostgreSQL from reading an index in the list's order: PostgreSQL estimates that
    # every fiftieth task matches, for any prefix.
    hits = query.offset(literal_column("0")).subquery()
    page = page_queries.sorted_page(select(*hits.c), hits.c.sort_key, hits.c.id, shape)
    return Statement(page)


@functools.lru_cache(maxsize=512)
def _count(shape: Shape) -> Statement[Any]:
    query = select(func.count().label("total")).select_from(Task)
    return Statement(query.where(*_conditions(shape)))


@functools.lru_cache(maxsize=8)
def _beyond(shape: Shape) -> Statement[Any]:
    """Return the statement that finds a row if a branch of the list has more than `near` tasks."""
    behind = (
        select(TASKS.c.id).where(*branch).offset(bindparam("near")).limit(1)
        for branch in page_queries.seen(shape)
    )
    return Statement(union_all(*(select(each.subquery()) for each in behind)))


def _conditions(shape: Shape) -> list[ColumnElement[bool]]:
    """Return the conditions of visible, matching tasks. `people` is written so that SQLite uses the
    index of words, not those of owner and assignee, by which it would read all the actor's tasks.
    """
    people = bindparam("actor_id", type_=TASKS.c.id.type).in_([Task.owner_id, Task.assignee_id])
    seen = [TRASHED, OWNED] if shape.trashed else [LIVE, people]
    matching = task_filters.conditions(shape.filters, postgres=shape.postgres)
    return [*(seen[:1] if shape.everyone else seen), *matching]


def _ranked(size: int) -> ColumnElement[bool]:
    """Return a filter by status in the form of the index's expression."""
    ranks = {status: rank for rank, status in enumerate(STATUSES)}
    statuses = [bindparam(f"any_status_{n}", type_=TASKS.c.status.type) for n in range(size)]
    return STATUS_RANK.in_([case(ranks, value=status) for status in statuses])


@preload
def usual_searches() -> None:
    """Build the statements of the usual searches on PostgreSQL."""
    shape = Shape(postgres=True, everyone=False, filters=(("q", 1),))
    _near(shape)
    _indexed(shape)
