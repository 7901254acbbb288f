"""The filters of a list of tasks: a condition for each filter, built once for its shape."""

from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, false, func, not_, text

from app.models import TASKS, Task
from app.models.task import CLOSED
from app.models.types import TextList, UTCDateTime
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
    kinds = {**_CONDITIONS, "q": _index_matches if from_index else _row_matches}
    return [kinds[name](size, postgres=postgres) for name, size in filters if name != "trashed"]


def _any_of(column: Any, name: str) -> Any:
    def condition(size: int, **_: bool) -> ColumnElement[bool]:
        values = [bindparam(f"any_{name}_{index}", type_=column.type) for index in range(size)]
        clause: ColumnElement[bool] = column.in_(values) if values else column.is_(None)
        return clause

    return condition


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


def _compared(name: str, compare: Any) -> Any:
    def condition(_size: int, **_: bool) -> ColumnElement[bool]:
        clause: ColumnElement[bool] = compare(bindparam(name, type_=UTCDateTime()))
        return clause

    return condition


_CONDITIONS: dict[str, Any] = {
    "id": _any_of(TASKS.c.id, "id"),
    "status": _any_of(TASKS.c.status, "status"),
    "priority": _any_of(TASKS.c.priority, "priority"),
    "label": _labelled,
    "owner_id": _any_of(TASKS.c.owner_id, "owner_id"),
    "assignee_id": _any_of(TASKS.c.assignee_id, "assignee_id"),
    "due_at": lambda _size, **_: Task.due_at.is_(None),
    "due_before": _compared("due_before", Task.due_at.__lt__),
    "due_after": _compared("due_after", Task.due_at.__ge__),
    "created_after": _compared("created_after", Task.created_at.__ge__),
    "created_before": _compared("created_before", Task.created_at.__lt__),
    "updated_after": _compared("updated_after", Task.updated_at.__ge__),
    "updated_until": _compared(
        "updated_until", Task.updated_at.__le__
    ),  # app.services.shared.following
    "updated_before": _compared("updated_before", Task.updated_at.__lt__),
    "completed_after": _compared("completed_after", Task.completed_at.__ge__),
    "completed_before": _compared("completed_before", Task.completed_at.__lt__),
    "overdue": lambda overdue, **_: _OVERDUE if overdue else not_(func.coalesce(_OVERDUE, False)),
}


def parameters(filters: dict[str, Any], *, postgres: bool) -> tuple[Filters, dict[str, Any]]:
    """Return the shape and the bind parameters of `filters`, sorted by name."""
    shape: list[tuple[str, int]] = []
    values: dict[str, Any] = {}
    for name in sorted(filters):
        wanted, size = filters[name], 1
        if name in ("id", "status", "priority", "owner_id", "assignee_id"):
            wanted = _listed(name, wanted)
            size = len(wanted)
            values.update({f"any_{name}_{index}": value for index, value in enumerate(wanted)})
        elif name == "label":
            values["label"] = [labels.key(label) for label in wanted]
        elif name in ("overdue", "trashed"):
            size = int(wanted)
        elif name == "q":
            size, search_values = search.parameters(wanted, postgres=postgres)
            values.update(search_values)
        else:
            values[name] = wanted
        shape.append((name, size))
    return tuple(shape), values


def _listed(name: str, wanted: Any) -> list[Any]:
    """Return the values of a filter with alternatives; [] matches tasks without a value."""
    if wanted is None:
        return []
    listed = sorted(set(wanted)) if isinstance(wanted, list) else [wanted]
    if name == "id":
        size = next(size for size in SIZES if size >= len(listed))
        listed += listed[-1:] * (size - len(listed))
    return listed
