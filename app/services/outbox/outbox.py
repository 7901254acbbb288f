"""The outbox: messages to send, stored in the transaction of the change that causes them.

A rolled-back change sends nothing; a committed one is sent at least once. Any number of workers
claim due entries, never the same entry at the same time. The entry of a killed worker is due again
when its lease expires.
"""

import random
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, func, insert, select, update

from app.models import OUTBOX_ENTRIES, OutboxEntry
from app.models.outbox import DELAYS, LEASE
from app.models.types import Json, PlainText, UTCDateTime, now, uuid7
from app.sql import ROW_KEY, Statement

ATTEMPTS_MAX = len(DELAYS) + 1

_moment = bindparam("moment", type_=UTCDateTime())
_next_run = bindparam("next_run", type_=UTCDateTime())
_insert = Statement[OutboxEntry](insert(OUTBOX_ENTRIES))
_due = (
    select(OUTBOX_ENTRIES.c.id)
    .where(OutboxEntry.status == "pending", OutboxEntry.run_at <= _moment)
    .order_by(OutboxEntry.kind, OutboxEntry.run_at)
    .limit(bindparam("size"))
    .with_for_update(skip_locked=True)
    .cte("due")
)
_claim = Statement[OutboxEntry](
    update(OutboxEntry)
    .where(OUTBOX_ENTRIES.c.id.in_(select(_due.c.id)))
    .values(run_at=_next_run, attempts=OutboxEntry.attempts + 1, fence=OutboxEntry.fence + 1)
    .returning(*OUTBOX_ENTRIES.c)
)
# Only the last claimant may settle an entry.
_held = (
    OUTBOX_ENTRIES.c.id == ROW_KEY,
    OutboxEntry.fence == bindparam("held"),
    OutboxEntry.status == "pending",
)
_renew = Statement[OutboxEntry](update(OutboxEntry).where(*_held).values(run_at=_next_run))
_settle = Statement[OutboxEntry](
    update(OutboxEntry)
    .where(*_held)
    .values(
        status=bindparam("new_status"),
        run_at=_next_run,
        response_status=bindparam("answer"),
        error=bindparam("why", type_=PlainText),
        finished_at=bindparam("finished", type_=UTCDateTime()),
    )
)
_payload = Statement[OutboxEntry](select(OutboxEntry.payload).where(OUTBOX_ENTRIES.c.id == ROW_KEY))
_rewrite = Statement[OutboxEntry](
    update(OutboxEntry)
    .where(OUTBOX_ENTRIES.c.id == ROW_KEY)
    .values(payload=bindparam("news", type_=Json))
)
_postpone = Statement[OutboxEntry](
    update(OutboxEntry)
    .where(
        OutboxEntry.webhook_id == ROW_KEY,
        OutboxEntry.status == "pending",
        OutboxEntry.run_at <= _moment,
    )
    .values(run_at=_next_run)
)
_retry = Statement[OutboxEntry](
    update(OutboxEntry)
    .where(OUTBOX_ENTRIES.c.id == ROW_KEY, OutboxEntry.status != "pending")
    .values(status="pending", attempts=0, run_at=_moment, finished_at=None)
    .returning(*OUTBOX_ENTRIES.c)
)
_overdue = Statement[Any](
    select(func.count().label("number"), func.min(OutboxEntry.run_at).label("oldest")).where(
        OutboxEntry.status == "pending", OutboxEntry.run_at <= _moment
    )
)
_dead = Statement[Any](select(func.count().label("number")).where(OutboxEntry.status == "dead"))


def add(
    kind: str,
    name: str,
    payload: dict[str, Any],
    *,
    user_id: str | None = None,
    webhook_id: str | None = None,
    request_id: str = "",
    run_at: datetime | None = None,
) -> str:
    """Queue an entry and return its id. It is due after the commit, or at `run_at`.

    `payload` must hold no secret: it is kept for a month. `request_id` is the actor's.
    """
    moment, entry_id = now(), uuid7()
    _insert.run(
        id=entry_id,
        kind=kind,
        name=name,
        payload=payload,
        user_id=user_id,
        webhook_id=webhook_id,
        status="pending",
        attempts=0,
        fence=0,
        run_at=run_at or moment,
        response_status=None,
        error="",
        request_id=request_id,
        created_at=moment,
        finished_at=None,
    )
    return entry_id


def claim(size: int) -> list[OutboxEntry]:
    """Claim up to `size` due entries, mails first, exclusively until the end of LEASE."""
    moment = now()
    return _claim.all(moment=moment, next_run=moment + LEASE, size=size)


def renew(entry: OutboxEntry) -> bool:
    """Extend the claim by another LEASE. Return False if it has been lost meanwhile."""
    return bool(_renew.run(key=entry.id, held=entry.fence, next_run=now() + LEASE))


def done(entry: OutboxEntry, response_status: int | None = None) -> None:
    moment = now()
    _store_outcome(entry, "done", moment, response_status, "", moment)


def failed(
    entry: OutboxEntry, why: str, response_status: int | None = None, *, final: bool = False
) -> datetime | None:
    """Record a failure. Return the moment of the next attempt.

    Return None after the last attempt or a `final` failure.
    """
    moment = now()
    if final or entry.attempts >= ATTEMPTS_MAX:
        _store_outcome(entry, "dead", moment, response_status, why, moment)
        return None
    spread = random.uniform(0.8, 1.2)  # noqa: S311 - spreads the retries
    again = moment + delay_after(entry.attempts) * spread
    _store_outcome(entry, "pending", again, response_status, why, None)
    return again


def forget(entry: OutboxEntry) -> None:
    """Empty the payload of a sent entry of a deleted account."""
    rewrite(entry.id, {})


def rewrite(entry_id: str, payload: dict[str, Any]) -> None:
    _rewrite.run(key=entry_id, news=payload)


def payload(entry: OutboxEntry) -> dict[str, Any]:
    """Return the current payload, as `entry` may be older than a change; {} if it is deleted."""
    return _payload.scalar(key=entry.id) or {}


def delay_after(attempts: int) -> timedelta:
    return DELAYS[min(attempts, len(DELAYS)) - 1]


def postpone(webhook_id: str, until: datetime) -> None:
    """Delay the due entries of a webhook, so that no slow receiver occupies all workers."""
    _postpone.run(key=webhook_id, moment=now(), next_run=until)


def retry(entry_id: str) -> OutboxEntry | None:
    """Queue an ended entry again as if it were new, and return it; None if it has not ended."""
    return _retry.one(key=entry_id, moment=now())


def overdue() -> tuple[int, datetime | None]:
    """Return the number of due entries and the moment since when the first is due, or None."""
    row = _overdue.one(moment=now())
    assert row is not None
    return row.number, row.oldest


def dead() -> int:
    """Return the number of entries that were given up and are not deleted yet."""
    return int(_dead.scalar())


def _store_outcome(
    entry: OutboxEntry,
    status: str,
    run_at: datetime,
    response_status: int | None,
    why: str,
    finished_at: datetime | None,
) -> None:
    _settle.run(
        key=entry.id,
        held=entry.fence,
        new_status=status,
        next_run=run_at,
        answer=response_status,
        why=why,
        finished=finished_at,
    )
