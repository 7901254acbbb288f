"""The history of a task, the newest event first."""

from sqlalchemy import bindparam, select

from app.models import AUDIT_EVENTS, USERS, AuditEvent, Task, User
from app.services.shared import paging
from app.services.shared.actor import Actor
from app.services.shared.paging import FIRST_PAGE, Page, PageRequest
from app.services.tasks import tasks
from app.sql import ROW_KEY, Statement

_events = Statement[AuditEvent](
    select(*AUDIT_EVENTS.c, USERS.c.username.label("actor"))
    .outerjoin(User, User.id == AuditEvent.actor_id)
    .where(AuditEvent.target_id == ROW_KEY, AuditEvent.target_type == "task")
    .order_by(AuditEvent.created_at.desc(), AuditEvent.id.desc())
    .limit(bindparam("size"))
)


def history(actor: Actor, task_id: str, limit: int = 50) -> list[AuditEvent]:
    """Return the last `limit` events, each with the username of its `actor`. Raises NotFound."""
    return _events.all(key=tasks.get(actor, task_id).id, size=limit)


def events(
    actor: Actor,
    task_id: str,
    request: PageRequest = FIRST_PAGE,
    *,
    task: Task | None = None,
) -> Page[AuditEvent]:
    """Return a page of events. `task` saves a read if the caller has the task.

    Raises NotFound.
    """
    task = task or tasks.get(actor, task_id)
    of_task = [AuditEvent.target_id == task.id, AuditEvent.target_type == "task"]
    return paging.read(AuditEvent, of_task, request)
