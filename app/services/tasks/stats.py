"""Task statistics: totals by status and priority, and tasks created and completed by day."""

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, select

from app.models import TASKS, Task
from app.models.task import CLOSED, LIVE, PRIORITIES, STATUSES
from app.models.types import UTCDateTime, now
from app.services.shared.actor import Actor
from app.services.tasks.access import SEEN
from app.sql import Statement


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


def overview(actor: Actor, days: int = 30, *, everyone: bool = False) -> dict[str, Any]:
    """Return statistics of the actor's tasks, or for an admin of `everyone`'s.

    {"total", "by_status": {}, "by_priority": {}, "overdue", "days": [{"date", "created",
    "completed"}]}: the last `days` days in UTC, today last.
    """
    if everyone:
        actor.require_admin()
    scope = {"actor_id": actor.id, "everyone": everyone}
    moment = now()
    start = (moment - timedelta(days=days - 1)).replace(hour=0, minute=0, second=0, microsecond=0)
    by_status = {row.name: row.number for row in _by_status.all(**scope)}
    by_priority = {row.name: row.number for row in _by_priority.all(**scope)}
    created = {str(row.day): row.number for row in _created.all(**scope, first=start)}
    completed = {str(row.day): row.number for row in _completed.all(**scope, first=start)}
    dates = [(start + timedelta(days=index)).date().isoformat() for index in range(days)]
    return {
        "total": sum(by_status.values()),
        "by_status": {name: by_status.get(name, 0) for name in STATUSES},
        "by_priority": {name: by_priority.get(name, 0) for name in PRIORITIES},
        "overdue": _overdue.scalar(**scope, moment=moment),
        "days": [
            {"date": date, "created": created.get(date, 0), "completed": completed.get(date, 0)}
            for date in dates
        ],
    }
