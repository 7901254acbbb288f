"""The statements behind a page of tasks that a search finds.

Both databases read a page in one of two ways. For a word that few tasks have, the index gives these
tasks, and they are sorted. For a word that many tasks have, a page of 20 does not pay for that: the
list is read in its order, and the words of each task are compared, until the page is full.

The first NEAR tasks of the list are read in the second way, and often fill the page. If they do
not, the number of hits decides: from FEW on, to read the list to its end takes less time than to
look up and sort the hits. SQLite counts them in its index. PostgreSQL cannot count them without a
look at each task; its planner estimates them from its statistics of words.
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
)
from sqlalchemy.sql import visitors

from app.models import TASKS, Task
from app.models.task import LIVE, SHOWN, STATUS_RANK, STATUSES, TRASHED
from app.services.shared import paging
from app.services.tasks import filters as task_filters, page_queries, search
from app.services.tasks.access import OWNED
from app.services.tasks.page_queries import SORTS, Shape
from app.sql import Statement, preload

NEAR = 250  # tasks of each branch of the list
FURTHER = 5  # times as many are looked at next, where that is likely to fill the page
FEW = 20_000  # hits that are sorted


def read(
    shape: Shape, values: dict[str, Any], *, counted: bool = False
) -> tuple[list[Any], int | None]:
    """The rows of a page, and where `counted` the number of all that match.

    `values` are the bind parameters; their `size` is the number of rows of a full page.
    """
    values = {**values, "near": NEAR}
    rows = _near(shape).all(**values)
    if len(rows) < values["size"] <= len(rows) * FURTHER:
        rows = _near(shape).all(**{**values, "near": NEAR * FURTHER})
    if len(rows) < values["size"] and not _has_few(shape, values):
        rows = _rest(shape, common=_is_common(shape, values)).all(**values)
    if not counted:
        return rows, None
    total = _count(Shape(shape.postgres, shape.everyone, shape.filters)).scalar(**values)
    return rows, total


def _has_few(shape: Shape, values: dict[str, Any]) -> bool:
    """True if the list has no tasks but those near, and no index need be asked.

    PostgreSQL knows by its statistics that somebody has few tasks, and reads these. SQLite would
    look for the word in the tasks of everybody; to ask it costs no round trip.
    """
    filters = tuple(one for one in shape.filters if one[0] == "trashed")
    whole = Shape(shape.postgres, shape.everyone, filters)
    return not shape.postgres and _beyond(whole).one(**values) is None


def _is_common(shape: Shape, values: dict[str, Any]) -> bool:
    """True if the search has many hits. Of everybody's tasks it is not asked."""
    if shape.everyone or not values["q"]:
        return False
    if shape.postgres:
        return search.estimated(values["q_words"]) > FEW
    return any(search.further.one(query=values[q], few=FEW) for q in ("q_words", "q"))


def _rest(shape: Shape, *, common: bool) -> Statement[Any]:
    """Beside another filter PostgreSQL intersects two indexes before it reads a task."""
    if common and not (shape.postgres and len(shape.filters) > 1):
        return _walked(shape)
    return _indexed(shape, common=common)


@functools.lru_cache(maxsize=512)
def _near(shape: Shape) -> Statement[Any]:
    """What matches of the first NEAR tasks in the order of the list."""
    matching = task_filters.conditions(shape.filters, postgres=shape.postgres, from_index=False)
    key, row_id, queries = SORTS[shape.sort], TASKS.c.id, []
    for branch in page_queries.branches(shape):
        all_columns = select(*TASKS.c, key.label("sort_key")).where(*branch)
        first = paging.ordered(all_columns, key, row_id, shape.descending).limit(bindparam("near"))
        # By the table's own name, which a condition in plain SQL says.
        near = first.subquery(Task.__tablename__)
        query: Select[Any] = select(*(near.c[name] for name in SHOWN), near.c.sort_key)
        query = query.where(*(_of(near, condition) for condition in matching))
        queries.append(paging.ordered(query, near.c.sort_key, near.c.id, shape.descending))
    return Statement(page_queries.merged(queries, shape))


def _of(near: Subquery, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """A condition on tasks, as one on those in the subquery."""

    def replaced(element: Any, **_: Any) -> Any:
        is_column = isinstance(element, ColumnClause) and element.table is not None
        return near.c[element.key] if is_column else None

    return visitors.replacement_traverse(condition, {}, replaced)


@functools.lru_cache(maxsize=512)
def _walked(shape: Shape) -> Statement[Any]:
    """What matches of the whole list, in its order."""
    matching = task_filters.conditions(shape.filters, postgres=shape.postgres, from_index=False)
    return Statement(page_queries.in_order(shape, matching))


@functools.lru_cache(maxsize=512)
def _indexed(shape: Shape, *, common: bool = False) -> Statement[Any]:
    """What the search index finds, sorted; of a `common` word with the index of statuses."""
    query = page_queries.columns(shape).where(*_conditions(shape))
    if common:
        query = query.where(*(_ranked(size) for name, size in shape.filters if name == "status"))
    if shape.resumed:
        query = query.where(or_(*(and_(*place) for place in page_queries.places(shape))))
    if not shape.postgres:
        return Statement(page_queries.sorted_page(query, SORTS[shape.sort], TASKS.c.id, shape))
    # PostgreSQL plans what has an OFFSET by itself, and so never by an index of the order: it takes
    # the beginning of any word for one that every fiftieth task has.
    found = query.offset(literal_column("0")).subquery()
    page = page_queries.sorted_page(select(*found.c), found.c.sort_key, found.c.id, shape)
    return Statement(page)


@functools.lru_cache(maxsize=512)
def _count(shape: Shape) -> Statement[Any]:
    query = select(func.count().label("total")).select_from(Task)
    return Statement(query.where(*_conditions(shape)))


@functools.lru_cache(maxsize=8)
def _beyond(shape: Shape) -> Statement[Any]:
    """A row where the list goes on after NEAR tasks."""
    seen = or_(*(and_(*conditions) for conditions in page_queries.seen(shape)))
    return Statement(select(TASKS.c.id).where(seen).offset(bindparam("near")).limit(1))


def _conditions(shape: Shape) -> list[ColumnElement[bool]]:
    """What is seen and matches. SQLite finds no index for the people, so that it asks the one for
    words; with an OR it would read all tasks of the actor."""
    people = bindparam("actor_id", type_=TASKS.c.id.type).in_([Task.owner_id, Task.assignee_id])
    seen = [TRASHED, OWNED] if shape.trashed else [LIVE, people]
    matching = task_filters.conditions(shape.filters, postgres=shape.postgres)
    return [*(seen[:1] if shape.everyone else seen), *matching]


def _ranked(size: int) -> ColumnElement[bool]:
    """A filter by status once more, spelled as its index is."""
    ranks = {status: rank for rank, status in enumerate(STATUSES)}
    statuses = [bindparam(f"any_status_{n}", type_=TASKS.c.status.type) for n in range(size)]
    return STATUS_RANK.in_([case(ranks, value=status) for status in statuses])


@preload
def usual_searches() -> None:
    """Build the statements of the usual searches on PostgreSQL."""
    shape = Shape(postgres=True, everyone=False, filters=(("q", 1),))
    _near(shape)
    _indexed(shape)
