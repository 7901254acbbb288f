"""Tasks taken in from a file: many rows a statement, all of them or none."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from app.errors import InvalidLines
from app.faults import Code
from app.models import Task
from app.services import audit, task_access, task_values, webhook_events
from app.services.actor import Actor
from app.services.task_access import NOBODY
from app.sql import Batch, atomic

ROWS_MAX = 50_000
BATCH = 500  # rows that are held at once
Row = tuple[int, dict[str, Any]]  # the line that it begins on, and the values of a task

_tasks = Batch(Task.__table__)  # type: ignore[arg-type]


@atomic
def take_in(actor: Actor, read: Callable[[], Iterable[Row]]) -> int:
    """Make a task of each row that `read` gives. Their number.

    Raises InvalidLines, and whatever reading the rows raises.
    """
    rows, number = _limited(read()), 0
    while batch := list(islice(rows, BATCH)):
        _store(actor, batch)
        number += len(batch)
    return number


def _limited(rows: Iterable[Row]) -> Iterator[Row]:
    for number, (line, values) in enumerate(rows):
        if number == ROWS_MAX:
            why = f"Import at most {ROWS_MAX} tasks at once."
            raise InvalidLines(why, [{"line": line, "code": Code.TOO_LONG, "detail": why}])
        yield line, values


def _store(actor: Actor, batch: list[Row]) -> None:
    _need_assignees(batch)
    made = [task_values.new(actor, values) for _, values in batch]
    _tasks.insert(made)
    changes = [task_values.changes_of_new(values) for _, values in batch]
    ids = [row["id"] for row in made]
    audit.record_each(actor, "task.created", list(zip(ids, changes, strict=True)))
    people = {row["assignee_id"] or actor.id for row in made} | {actor.id}
    told = {person for person in people if webhook_events.has_any(person)}
    for row in made:
        if not told.isdisjoint((row["owner_id"], row["assignee_id"])):
            webhook_events.of_task("task.created", task_values.shown(row))


def _need_assignees(batch: list[Row]) -> None:
    wanted = {id_ for _, values in batch if (id_ := values.get("assignee_id")) is not None}
    unknown = wanted - task_access.assignable(wanted)
    faults = [
        {"line": line, "pointer": "/assignee_id", "code": NOBODY.code, "detail": NOBODY}
        for line, values in batch
        if values.get("assignee_id") in unknown
    ]
    if faults:
        raise InvalidLines("Some lines are not valid.", faults)
