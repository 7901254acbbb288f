"""The tasks of a deleted account: unassigned or deleted."""

from sqlalchemy import bindparam, select, update

from app.models import TASKS, Task
from app.models.task import LIVE
from app.models.types import UTCDateTime, now
from app.services.shared import audit
from app.services.shared.actor import Actor
from app.services.tasks import search, webhook_events
from app.services.tasks.page_queries import COLUMNS
from app.sql import ROW_KEY, Statement

_unassign = Statement[Task](
    update(Task)
    .where(Task.assignee_id == ROW_KEY)
    .values(
        assignee_id=None,
        version=Task.version + 1,
        search_version=search.version_after(Task.version + 1),
        updated_at=bindparam("moment", type_=UTCDateTime()),
    )
    .returning(*COLUMNS, TASKS.c.deleted_at)
)
_leaving = Statement[Task](
    select(*COLUMNS).where(LIVE, Task.owner_id == ROW_KEY, Task.assignee_id != ROW_KEY)
)


def of_leaving(actor: Actor, user_id: str) -> None:
    """Unassign the user's assigned tasks. The own tasks are deleted with the account: send their
    assignees webhook events.
    """
    for task in _unassign.all(key=user_id, moment=now()):
        changes = {"assignee_id": [user_id, None]}
        audit.record(actor, "task.updated", task.id, changes)
        if task.deleted_at is None:
            webhook_events.of_task(actor, "task.updated", task)
    for task in _leaving.all(key=user_id):
        webhook_events.of_task(actor, "task.deleted", task)
