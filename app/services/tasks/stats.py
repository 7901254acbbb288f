"""Task statistics: totals by status and priority, and tasks created and completed by day."""

from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, select

from app.models import TASKS, Task
from app.models.task import CLOSED, LIVE, PRIORITIES, STATUSES, TRASHED
from app.models.types import UTCDateTime, now
from app.services.shared.actor import Actor
from app.services.shared.moments import last_days
from app.services.tasks.access import SEEN
from app.sql import ROW_KEY, Statement


def _counted(key: ColumnElement[Any]) -> Statement[Any]:
    number = func.count().label("number")
    return Statement(select(key.label("name"), number).where(SEEN, LIVE).group_by(key))


def _daily(key: ColumnElement[Any]) -> Statement[Any]:
    first = bindparam("first", type_=UTCDateTime())
    day = func.date(key)
    query = select(day.label("day"), func.count().label("number"))
    return Statement(query.where(SEEN, LIVE, key >= first).group_by(day))


_by_status = _counted(TASKS.c.status)
_by_priority = _counted(TASKS.c.priority)
_created = _daily(TASKS.c.created_at)
_completed = _daily(TASKS.c.completed_at)
_overdue = Statement[Any](
    select(func.count().label("number")).where(
        SEEN,
        LIVE,
        Task.due_at < bindparam("moment", type_=UTCDateTime()),
        Task.status.not_in(CLOSED),
    )
)
_number = func.count().label("number")
_owned = Statement[Any](
    select(Task.status, _number).where(Task.owner_id == ROW_KEY, LIVE).group_by(Task.status)
)
_trashed = Statement[Any](
    select(_number).select_from(Task).where(Task.owner_id == ROW_KEY, TRASHED)
)
_assigned = Statement[Any](
    select(_number)
    .select_from(Task)
    .where(Task.assignee_id == ROW_KEY, Task.owner_id != ROW_KEY, LIVE)
)


def overview(actor: Actor, days: int = 30, *, everyone: bool = False) -> dict[str, Any]:
    """Return statistics of the actor's tasks, or for an admin of `everyone`'s.

    {"total", "by_status": {}, "by_priority": {}, "overdue", "days": [{"date", "created",
    "completed"}]}: the last `days` days in UTC, today last.
    """
    if everyone:
        actor.require_admin()
    scope = {"actor_id": actor.id, "everyone": everyone}
    start, dates = last_days(days)
    by_status = {row.name: row.number for row in _by_status.all(**scope)}
    by_priority = {row.name: row.number for row in _by_priority.all(**scope)}
    created = {str(row.day): row.number for row in _created.all(**scope, first=start)}
    completed = {str(row.day): row.number for row in _completed.all(**scope, first=start)}
    return {
        "total": sum(by_status.values()),
        "by_status": {name: by_status.get(name, 0) for name in STATUSES},
        "by_priority": {name: by_priority.get(name, 0) for name in PRIORITIES},
        "overdue": _overdue.scalar(**scope, moment=now()),
        "days": [
            {"date": date, "created": created.get(date, 0), "completed": completed.get(date, 0)}
            for date in dates
        ],
    }


def of_user(actor: Actor, user_id: str) -> dict[str, Any]:
    """Return the numbers of a user's tasks, for an admin.

    {"by_status": {}, "assigned", "trashed"}: its own tasks by status, tasks that others assigned to
    it, and its own tasks in the trash.
    """
    actor.require_admin()
    owned = {row.status: row.number for row in _owned.all(key=user_id)}
    return {
        "by_status": {status: owned.get(status, 0) for status in STATUSES},
        "assigned": _assigned.scalar(key=user_id),
        "trashed": _trashed.scalar(key=user_id),
    }
