"""The import of a file of tasks: many rows in a statement, all or none."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from itertools import islice
from operator import itemgetter
from typing import Any, NamedTuple

from app.errors import InvalidLines
from app.faults import Code
from app.models import TASKS
from app.models.types import now
from app.services.shared import audit
from app.services.shared.actor import Actor
from app.services.tasks import values as task_values, webhook_events
from app.services.tasks.import_assignees import Assignees, why_left_out
from app.services.webhooks import events
from app.sql import Batch, atomic

ROWS_MAX = 50_000
BATCH = 500  # rows of one statement
DATES = ("created_at", "completed_at")
FUTURE = "The time lies in the future: the time of the import replaces it."

_tasks = Batch(TASKS)
Warning_ = dict[str, Any]  # {"line", "pointer", "code", "detail"}


class Row(NamedTuple):
    """A validated task of a file. `line` is the task's first line, from 1.

    `values` holds the fields of a task, and any of `assignee`, `created_at`, `completed_at`.
    `original_id` is the UUID of the exported task, or "".
    """

    line: int
    values: dict[str, Any]
    original_id: str = ""


@dataclass(slots=True)
class Imported:
    """The result of an import. `warnings` lists the values left out, by line."""

    created: int = 0
    warnings: list[Warning_] = field(default_factory=list)

    def warn(self, row: Row, name: str, code: Code, detail: str) -> None:
        self.warnings.append(
            {"line": row.line, "pointer": f"/{name}", "code": code, "detail": detail}
        )


def import_tasks(actor: Actor, rows: Iterable[Row]) -> Imported:
    """Create a task for each row.

    Raises InvalidLines for too many rows, and the errors of reading the rows.
    """
    return _import(actor, list(_limited(rows)))  # reads all rows before the transaction


def _limited(rows: Iterable[Row]) -> Iterator[Row]:
    for number, row in enumerate(rows):
        if number == ROWS_MAX:
            why = f"Import at most {ROWS_MAX} tasks at once."
            raise InvalidLines(why, [{"line": row.line, "code": Code.TOO_LONG, "detail": why}])
        yield row


@atomic
def _import(actor: Actor, rows: list[Row]) -> Imported:
    moment, imported, assignees = now(), Imported(len(rows)), Assignees()
    has_webhook = cache(events.has_any)

    def place(row: Row) -> tuple[datetime, str, int]:
        """Return the sort key: ids in this order keep the order of equal creation times."""
        return row.values.get("created_at") or moment, row.original_id, row.line

    ordered = iter(sorted(rows, key=place))
    while batch := list(islice(ordered, BATCH)):
        assignees.load(row.values for row in batch)
        _store(actor, [_values(row, moment, assignees, imported) for row in batch], has_webhook)
    imported.warnings.sort(key=itemgetter("line"))
    return imported


def _values(row: Row, moment: datetime, assignees: Assignees, imported: Imported) -> dict[str, Any]:
    """Return the values to store, and add a warning for each value left out."""
    values, at_fault = assignees.resolve(row.values)
    if at_fault:
        imported.warn(row, at_fault, Code.NOT_FOUND, why_left_out(row.values))
    if values.get("status") != "done":
        values.pop("completed_at", None)
    for name in DATES:
        if values.get(name, moment) > moment:
            imported.warn(row, name, Code.OUT_OF_RANGE, FUTURE)
            del values[name]
    return values


def _store(actor: Actor, batch: list[dict[str, Any]], has_webhook: Callable[[str], bool]) -> None:
    rows = [task_values.new(actor, values) for values in batch]
    _tasks.insert(rows)
    ids = [row["id"] for row in rows]
    changes = [task_values.changes_of_new(values) for values in batch]
    audit.record_each(actor, "task.created", list(zip(ids, changes, strict=True)))
    for row in rows:
        if has_webhook(row["owner_id"]) or has_webhook(row["assignee_id"] or row["owner_id"]):
            webhook_events.of_task(actor, "task.created", task_values.shown(row))
