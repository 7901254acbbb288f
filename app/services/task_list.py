"""The statements behind a page of tasks: one for each combination of filters, built once.

Whose tasks they are decides the shape. A person sees what they own and what they are assigned to:
two branches, each read in order from its own index and cut to the page, then merged. Asking for
either with one OR would read and sort all of them. A key that may be missing (NULLABLE) splits
each branch once more, so that what has none comes last in both directions.
"""

import functools
from dataclasses import dataclass
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

from app import lazy
from app.models import Task
from app.models.task import LIVE, SHOWN, STATUS_RANK, TRASHED
from app.services import paging, task_filters
from app.services.task_access import ASSIGNED, OWNED
from app.services.task_filters import Filters
from app.sql import Statement

COLUMNS = [Task.__table__.c[name] for name in SHOWN]
SORTS: dict[str, ColumnElement[Any]] = {
    "created_at": Task.__table__.c.created_at,
    "updated_at": Task.__table__.c.updated_at,
    "due_at": Task.__table__.c.due_at,
    "priority": Task.__table__.c.priority,
    "title": func.lower(Task.__table__.c.title),
    "status": STATUS_RANK,
    "completed_at": Task.__table__.c.completed_at,
}
NULLABLE = ("due_at", "completed_at")  # a task without it comes last


@dataclass(slots=True, frozen=True)
class Shape:
    """What a list statement depends on besides its parameters. Hashable: the key of its cache."""

    postgres: bool
    everyone: bool
    filters: Filters
    sort: str = "created_at"
    descending: bool = True
    resumed: bool = False  # behind a cursor
    among_missing: bool = False  # that cursor's row has no value in the sort key


@functools.lru_cache(maxsize=512)
def page(shape: Shape, *, counted: bool = False) -> Statement[Any]:
    """`counted` gives each row the `total` of all that match: it is worked out once, and one round
    trip is saved."""
    query = _page(shape)
    if counted:
        query = query.add_columns(_total(shape).correlate(None).scalar_subquery().label("total"))
    # In its order the index is read whoever asks; what else they filter by may ask for another way.
    return Statement(query, prepared=not shape.filters and not counted)


@lazy.by_master
def usual_pages() -> None:
    """Those that everybody asks PostgreSQL for."""
    plain: Filters = ()
    for filters, counted in ((plain, False), (plain, True), ((("stems", 1),), False)):
        page(Shape(postgres=True, everyone=False, filters=filters), counted=counted)


@functools.lru_cache(maxsize=512)
def count(shape: Shape) -> Statement[Any]:
    return Statement(_total(shape))


def _page(shape: Shape) -> Select[Any]:
    key = SORTS[shape.sort].label("sort_key")
    branches: list[Select[Any]] = []
    for seen in _seen(shape):
        for place in _places(shape):
            branch: Select[Any] = select(*COLUMNS, key)
            branch = _ordered(branch.where(*seen, *place, *_matching(shape)), shape)
            branches.append(branch.limit(bindparam("size")))
    if len(branches) == 1:
        return branches[0]
    merged = union_all(*(select(each.subquery()) for each in branches)).subquery()
    columns = merged.c
    query: Select[Any] = select(*columns).order_by(
        columns.sort_key.is_(None),
        columns.sort_key.desc() if shape.descending else columns.sort_key,
        columns.id.desc() if shape.descending else columns.id,
    )
    return query.limit(bindparam("size"))


def _total(shape: Shape) -> Select[Any]:
    seen = or_(*(and_(*conditions) for conditions in _seen(shape)))
    query = select(func.count().label("total")).select_from(Task)
    return query.where(seen, *_matching(shape))


def _seen(shape: Shape) -> list[list[ColumnElement[bool]]]:
    """The branches of what the actor may see."""
    if dict(shape.filters).get("trashed"):
        return [[TRASHED] if shape.everyone else [TRASHED, OWNED]]
    if shape.everyone:
        return [[LIVE]]
    return [[LIVE, OWNED], [LIVE, ASSIGNED, ~OWNED]]


def _matching(shape: Shape) -> list[ColumnElement[bool]]:
    return task_filters.conditions(shape.filters, postgres=shape.postgres)


def _places(shape: Shape) -> list[list[ColumnElement[bool]]]:
    """Where in the order to read: behind the cursor, and what has no value in the key by itself."""
    key, row_id = SORTS[shape.sort], Task.__table__.c.id
    at, last_id = bindparam("at", type_=key.type), bindparam("last_id", type_=row_id.type)
    behind = [paging.behind(key, row_id, shape.descending, at, last_id)] if shape.resumed else []
    if shape.sort not in NULLABLE:
        return [behind]
    tail = row_id < last_id if shape.descending else row_id > last_id
    if shape.among_missing:
        return [[key.is_(None), tail]]
    return [[key.is_not(None), *behind], [key.is_(None)]]


def _ordered(query: Select[Any], shape: Shape) -> Select[Any]:
    return paging.ordered(query, SORTS[shape.sort], Task.__table__.c.id, shape.descending)
