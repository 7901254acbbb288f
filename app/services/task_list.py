"""The statements behind a page of tasks: one for each combination of filters, built once.

Whose tasks they are decides the shape. A person sees what they own and what they are assigned to:
two branches, each read in order from its own index and cut to the page, then merged. Asking for
either with one OR would read and sort all of them. A key that may be missing (`due_at`) splits
each branch once more, so that what has none comes last in both directions.
"""

import functools
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    and_,
    bindparam,
    func,
    literal_column,
    not_,
    or_,
    select,
    text,
    union_all,
)

from app.models import Task
from app.models.task import CLOSED, LIVE, TRASHED
from app.models.types import TextList, UTCDateTime
from app.services import paging
from app.sql import Statement

COLUMNS = [column for column in Task.__table__.c if column.key not in ("deleted_at", "label_keys")]
SORTS: dict[str, ColumnElement[Any]] = {
    "created_at": Task.__table__.c.created_at,
    "updated_at": Task.__table__.c.updated_at,
    "due_at": Task.__table__.c.due_at,
    "priority": Task.__table__.c.priority,
    "title": func.lower(Task.__table__.c.title),
}
WORDS_MAX = 100  # of a search: more than 200 characters hold
_OVERDUE = and_(Task.due_at < bindparam("moment", type_=UTCDateTime()), Task.status.not_in(CLOSED))


@dataclass(slots=True, frozen=True)
class Shape:
    """What a list statement depends on besides its parameters. Hashable: the key of its cache."""

    postgres: bool
    everyone: bool
    filters: tuple[tuple[str, int], ...]  # the name, and how many values it has
    sort: str = "created_at"
    descending: bool = True
    resumed: bool = False  # behind a cursor
    among_missing: bool = False  # that cursor's row has no value in the sort key


@functools.lru_cache(maxsize=512)
def page(shape: Shape) -> Statement[Any]:
    key = SORTS[shape.sort].label("sort_key")
    branches = []
    for seen in _seen(shape):
        for place in _places(shape):
            query = select(*COLUMNS, key).where(*seen, *place, *_matching(shape))
            query = _ordered(query, shape).limit(bindparam("size"))
            branches.append(query)
    if len(branches) == 1:
        return Statement(branches[0])
    merged = union_all(*(select(branch.subquery()) for branch in branches)).subquery()
    columns = merged.c
    query = select(*columns).order_by(
        columns.sort_key.is_(None),
        columns.sort_key.desc() if shape.descending else columns.sort_key,
        columns.id.desc() if shape.descending else columns.id,
    )
    return Statement(query.limit(bindparam("size")))


@functools.lru_cache(maxsize=512)
def count(shape: Shape) -> Statement[Any]:
    seen = or_(*(and_(*conditions) for conditions in _seen(shape)))
    query = select(func.count().label("total")).select_from(Task)
    return Statement(query.where(seen, *_matching(shape)))


def _seen(shape: Shape) -> list[list[ColumnElement[bool]]]:
    """The branches of what the actor may see."""
    if dict(shape.filters).get("trashed"):
        return [[TRASHED] if shape.everyone else [TRASHED, Task.owner_id == bindparam("actor_id")]]
    if shape.everyone:
        return [[LIVE]]
    owned = Task.owner_id == bindparam("actor_id")
    assigned = Task.assignee_id == bindparam("actor_id")
    return [[LIVE, owned], [LIVE, assigned, Task.owner_id != bindparam("actor_id")]]


def _places(shape: Shape) -> list[list[ColumnElement[bool]]]:
    """Where in the order to read: behind the cursor, and what has no value in the key by itself."""
    key, row_id = SORTS[shape.sort], Task.__table__.c.id
    at, last_id = bindparam("at", type_=key.type), bindparam("last_id", type_=row_id.type)
    behind = [paging.behind(key, row_id, shape.descending, at, last_id)] if shape.resumed else []
    if shape.sort != "due_at":
        return [behind]
    tail = row_id < last_id if shape.descending else row_id > last_id
    if shape.among_missing:
        return [[key.is_(None), tail]]
    return [[key.is_not(None), *behind], [key.is_(None)]]


def _ordered(query: Select[Any], shape: Shape) -> Select[Any]:
    return paging.ordered(query, SORTS[shape.sort], Task.__table__.c.id, shape.descending)


def _matching(shape: Shape) -> list[ColumnElement[bool]]:
    return [_CONDITIONS[name](shape, size) for name, size in shape.filters if name != "trashed"]


def _any_of(column: Any, name: str) -> Any:
    def condition(_shape: Shape, size: int) -> ColumnElement[bool]:
        values = [bindparam(f"any_{name}_{index}", type_=column.type) for index in range(size)]
        found: ColumnElement[bool] = column.in_(values)
        return found

    return condition


def _labelled(shape: Shape, _size: int) -> ColumnElement[bool]:
    keys = bindparam("label", type_=TextList())
    if shape.postgres:
        return Task.label_keys.bool_op("&&")(keys)
    found = text(
        "EXISTS (SELECT 1 FROM json_each(tasks.label_keys) AS kept, json_each(:label) AS wanted"
        " WHERE kept.value = wanted.value)"
    )
    return found.bindparams(keys)  # type: ignore[return-value]


def _containing(shape: Shape, size: int) -> ColumnElement[bool]:
    """Every word: by stem on PostgreSQL, anywhere in the text on SQLite."""
    if shape.postgres:
        words = func.plainto_tsquery(text("'english'"), bindparam("q"))
        return literal_column("tasks.search").bool_op("@@")(words)
    every = []
    for index in range(size):
        word: BindParameter[str] = bindparam(f"q_{index}")
        either = (Task.title.like(word, escape="\\"), Task.description.like(word, escape="\\"))
        every.append(or_(*either))
    return and_(*every)


def _compared(name: str, compare: Any) -> Any:
    def condition(_shape: Shape, _size: int) -> ColumnElement[bool]:
        found: ColumnElement[bool] = compare(bindparam(name, type_=UTCDateTime()))
        return found

    return condition


_CONDITIONS: dict[str, Any] = {
    "status": _any_of(Task.__table__.c.status, "status"),
    "priority": _any_of(Task.__table__.c.priority, "priority"),
    "label": _labelled,
    "owner_id": _any_of(Task.__table__.c.owner_id, "owner_id"),
    "assignee_id": _any_of(Task.__table__.c.assignee_id, "assignee_id"),
    "due_before": _compared("due_before", Task.due_at.__lt__),
    "due_after": _compared("due_after", Task.due_at.__ge__),
    "created_after": _compared("created_after", Task.created_at.__ge__),
    "updated_after": _compared("updated_after", Task.updated_at.__ge__),
    "overdue": lambda _shape, overdue: (
        _OVERDUE if overdue else not_(func.coalesce(_OVERDUE, False))
    ),
    "q": _containing,
}


def parameters(filters: dict[str, Any], *, postgres: bool) -> tuple[list[tuple[str, int]], Any]:
    """The shape's part and the bind parameters of `filters`, in one order whatever theirs was."""
    shape: list[tuple[str, int]] = []
    values: dict[str, Any] = {}
    for name in sorted(filters):
        given, size = filters[name], 1
        if name in ("status", "priority", "owner_id", "assignee_id"):
            given = sorted(set(given)) if isinstance(given, list) else [given]
            size = len(given)
            values.update({f"any_{name}_{index}": value for index, value in enumerate(given)})
        elif name == "label":
            values["label"] = [label.casefold() for label in given]
        elif name in ("overdue", "trashed"):
            size = int(given)
        elif name == "q":
            words = given.split()[:WORDS_MAX]
            if not words:  # blank: it filters nothing
                continue
            size = 1 if postgres else len(words)
            values.update({"q": given} if postgres else _like(words))
        else:
            values[name] = given
        shape.append((name, size))
    return shape, values


def _like(words: list[str]) -> dict[str, str]:
    plain = str.maketrans({"\\": r"\\", "%": r"\%", "_": r"\_"})
    return {f"q_{index}": f"%{word.translate(plain)}%" for index, word in enumerate(words)}
