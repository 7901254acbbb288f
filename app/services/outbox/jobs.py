"""What is in the outbox, for an admin to look at, and to try once more what was given up."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select

from app.errors import Conflict, NotFound
from app.models import OUTBOX_ENTRIES, OutboxEntry
from app.models.outbox import STATUSES
from app.services.outbox import outbox
from app.services.shared import audit, paging
from app.services.shared.actor import Actor
from app.services.shared.paging import Page
from app.sql import ROW_KEY, Statement, atomic

audit.declare("job", "job.retried")

_counts = Statement[Any](
    select(OutboxEntry.status, func.count().label("number")).group_by(OutboxEntry.status)
)
_get = Statement[OutboxEntry](select(*OUTBOX_ENTRIES.c).where(OUTBOX_ENTRIES.c.id == ROW_KEY))


def page(
    actor: Actor,
    *,
    status: str | None = None,
    kind: str | None = None,
    limit: int,
    after: list[Any] | None = None,
    count: bool = False,
) -> Page[OutboxEntry]:
    """The newest first, those that ended too, for as long as they are kept."""
    actor.require_admin()
    conditions: list[ColumnElement[bool]] = []
    if status is not None:
        conditions.append(OutboxEntry.status == status)
    if kind is not None:
        conditions.append(OutboxEntry.kind == kind)
    return paging.read(OutboxEntry, conditions, limit=limit, after=after, count=count)


def figures(actor: Actor) -> dict[str, Any]:
    """How many there are of each status; "due": how many should be sent by now, "oldest": since
    when the first of them, None where there is none.
    """
    actor.require_admin()
    counted = {row.status: row.number for row in _counts.all()}
    due, oldest = outbox.overdue()
    found: dict[str, int | datetime | None] = {
        status: counted.get(status, 0) for status in STATUSES
    }
    return {**found, "due": due, "oldest": oldest}


@atomic
def retry(actor: Actor, job_id: str) -> None:
    """Send it as if it were new. Raises NotFound; Conflict where it was not given up."""
    actor.require_admin()
    entry = _get.one(key=job_id)
    if entry is None:
        raise NotFound("There is no such job.")
    if entry.status != "dead" or outbox.retry(job_id) is None:
        raise Conflict("Only a job that was given up can be tried again.")
    audit.record(actor, "job.retried", job_id, {"status": ["dead", "pending"]})
