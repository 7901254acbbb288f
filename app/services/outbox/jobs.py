"""The entries of the outbox for admins: listed, counted, and retried after they were given up."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select

from app.errors import Conflict
from app.models import OUTBOX_ENTRIES, OutboxEntry
from app.models.outbox import STATUSES
from app.services.outbox import outbox
from app.services.shared import audit, paging
from app.services.shared.actor import Actor
from app.services.shared.existence import require_found
from app.services.shared.paging import FIRST_PAGE, Page, PageRequest
from app.sql import ROW_KEY, Statement, atomic

_counts = Statement[Any](
    select(OutboxEntry.status, func.count().label("number")).group_by(OutboxEntry.status)
)
_get = Statement[OutboxEntry](select(*OUTBOX_ENTRIES.c).where(OUTBOX_ENTRIES.c.id == ROW_KEY))


def page(
    actor: Actor,
    request: PageRequest = FIRST_PAGE,
    *,
    status: str | None = None,
    kind: str | None = None,
) -> Page[OutboxEntry]:
    """Return the entries, the newest first, including ended ones until their deletion."""
    actor.require_admin()
    conditions: list[ColumnElement[bool]] = []
    if status is not None:
        conditions.append(OutboxEntry.status == status)
    if kind is not None:
        conditions.append(OutboxEntry.kind == kind)
    return paging.read(OutboxEntry, conditions, request)


def figures(actor: Actor) -> dict[str, Any]:
    """Return the number of entries of each status, and "due" and "oldest".

    "due" is the number of entries due now, "oldest" the moment since when the first is due or None.
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
    """Queue a given-up entry again, as if it were new. Raises NotFound, Conflict."""
    actor.require_admin()
    entry = require_found(_get.one(key=job_id), "job")
    if entry.status != "dead" or outbox.retry(job_id) is None:
        raise Conflict("Only a job that was given up can be retried.")
    audit.record(actor, "job.retried", job_id, {"status": ["dead", "pending"]})
