"""The filters of a list of tasks: a condition for each filter, built once for its shape."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, false, func, not_, text

from app.models import TASKS, Task
from app.models.task import CLOSED
from app.models.types import TextList, UTCDateTime
from app.services.shared.filters import Filter, after, before, until
from app.services.tasks import labels, search

Filters = tuple[tuple[str, int], ...]  # the name of each filter and the number of its values
IDS_MAX = 100
NONE = "none"  # the value of a filter for tasks without a value in the field
SIZES = (1, 5, 25, IDS_MAX)  # of a list of ids in a statement: shorter lists repeat their last id
_OVERDUE = and_(Task.due_at < bindparam("moment", type_=UTCDateTime()), Task.status.not_in(CLOSED))


def conditions(
    filters: Filters, *, postgres: bool, from_index: bool = True
) -> list[ColumnElement[bool]]:
    """Return a condition for each filter. `from_index`: search in the index, not in the row."""
    kinds = {**_SPECIAL, "q": _index_matches if from_index else _row_matches}
    return [
        kinds[name](size, postgres=postgres)
        if name in kinds
        else _PLAIN[name].condition(name, size)
        for name, size in filters
        if name != "trashed"
    ]


def _labelled(_size: int, *, postgres: bool) -> ColumnElement[bool]:
    keys = bindparam("label", type_=TextList())
    if postgres:
        return Task.label_keys.bool_op("&&")(keys)
    clause = text(  # most tasks have no labels: the first comparison is enough
        "tasks.label_keys <> '[]' AND EXISTS (SELECT 1"
        " FROM json_each(tasks.label_keys) AS kept, json_each(:label) AS wanted"
        " WHERE kept.value = wanted.value)"
    )
    return clause.bindparams(keys)  # type: ignore[return-value]


def _index_matches(clauses: int, *, postgres: bool) -> ColumnElement[bool]:
    return search.matches(postgres=postgres) if clauses else false()


def _row_matches(clauses: int, *, postgres: bool) -> ColumnElement[bool]:
    return search.row_matches(clauses, postgres=postgres) if clauses else false()


_PLAIN: Mapping[str, Filter] = {
    "id": Filter(TASKS.c.id, SIZES),
    "status": Filter(TASKS.c.status),
    "priority": Filter(TASKS.c.priority),
    "owner_id": Filter(TASKS.c.owner_id),
    "assignee_id": Filter(TASKS.c.assignee_id),
    "due_before": before(TASKS.c.due_at),
    "due_after": after(TASKS.c.due_at),
    "created_after": after(TASKS.c.created_at),
    "created_before": before(TASKS.c.created_at),
    "updated_after": after(TASKS.c.updated_at),
    "updated_until": until(TASKS.c.updated_at),  # app.services.shared.following
    "updated_before": before(TASKS.c.updated_at),
    "completed_after": after(TASKS.c.completed_at),
    "completed_before": before(TASKS.c.completed_at),
}
_SPECIAL: Mapping[str, Any] = {
    "label": _labelled,
    "due_at": lambda _size, **_: Task.due_at.is_(None),
    "overdue": lambda overdue, **_: _OVERDUE if overdue else not_(func.coalesce(_OVERDUE, False)),
}


def parameters(filters: dict[str, Any], *, postgres: bool) -> tuple[Filters, dict[str, Any]]:
    """Return the shape and the bind parameters of `filters`, sorted by name."""
    shape: list[tuple[str, int]] = []
    values: dict[str, Any] = {}
    for name in sorted(filters):
        wanted, size = filters[name], 1
        if name in _PLAIN:
            size, plain = _PLAIN[name].parameters(name, wanted)
            values.update(plain)
        elif name == "label":
            values["label"] = [labels.key(label) for label in wanted]
        elif name in ("overdue", "trashed"):
            size = int(wanted)
        elif name == "q":
            size, search_values = search.parameters(wanted, postgres=postgres)
            values.update(search_values)
        shape.append((name, size))
    return tuple(shape), values
