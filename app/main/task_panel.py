"""The tasks on the dashboard: figures, charts, and what is due or has changed."""

from datetime import timedelta
from typing import Any

from app.models.task import OPEN
from app.models.types import now
from app.services.shared.actor import Actor
from app.services.shared.paging import PageRequest
from app.services.tasks import stats as task_stats, tasks

SHOWN = 6  # tasks in each list
SOON = timedelta(days=7)


def values(actor: Actor) -> dict[str, Any]:
    """Return the values of main/tasks/_dashboard.html."""
    stats = task_stats.overview(actor)
    moment, first = now(), PageRequest(SHOWN)
    soon = {"due_after": moment, "due_before": moment + SOON, "status": list(OPEN)}
    return {
        "stats": stats,
        "open": OPEN,
        "open_number": sum(stats["by_status"][status] for status in OPEN),
        "overdue": tasks.page(actor, first, filters={"overdue": True}, sort="due_at").items,
        "soon": tasks.page(actor, first, filters=soon, sort="due_at").items,
        "recent": tasks.page(actor, first, sort="-updated_at").items,
    }
