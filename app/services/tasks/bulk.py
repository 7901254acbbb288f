"""Many changes of tasks in one transaction."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import any_, bindparam, cast, select
from sqlalchemy.dialects.postgresql import ARRAY

from app import sql
from app.errors import AppError
from app.models import Task
from app.models.types import Id
from app.services.shared.actor import Actor
from app.services.shared.preconditions import Expect
from app.services.tasks import access, tasks
from app.sql import Statement, atomic

OPERATIONS_MAX = 100
# Locks in the order of ids, not of the changes: two requests in opposite orders would deadlock.
_lock = Statement[Task](
    select(Task.id)
    .where(Task.id == any_(cast(bindparam("ids"), ARRAY(Id))), access.SEEN)
    .order_by(Task.id)
    .with_for_update()
)


@dataclass(slots=True, frozen=True)
class Change:
    """A change: `op` is create, update or delete; `expect` holds the versions it may change."""

    op: str
    id: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    expect: Expect = None


@atomic
def apply(actor: Actor, changes: list[Change]) -> list[tuple[Change, str, Task | None]]:
    """Make all changes or none. Return each with its task's id and the task, None if deleted.

    Raises the error of the first failing change, with the change's `index`.
    """
    ids = [change.id for change in changes if change.id]
    if ids and sql.request_connection().dialect.name == "postgresql":  # SQLite has one writer
        _lock.all(ids=ids, **access.parameters(actor))
    results = []
    for index, change in enumerate(changes):
        try:
            task = _apply(actor, change)
        except AppError as error:
            error.index = index
            raise
        results.append((change, change.id or (task.id if task else ""), task))
    return results


def _apply(actor: Actor, change: Change) -> Task | None:
    if change.op == "create":
        return tasks.create(actor, change.data)
    if change.op == "update":
        return tasks.update(actor, change.id, change.data, change.expect)
    tasks.delete(actor, change.id, change.expect)
    return None
