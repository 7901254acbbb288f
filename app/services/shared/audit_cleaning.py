"""The erasure of deleted data that earlier releases left in the audit trail and the outbox."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import and_, bindparam, exists, or_, select, update

from app.models import AUDIT_EVENTS, OUTBOX_ENTRIES, AuditEvent, OutboxEntry, User
from app.models.base import table_of
from app.models.outbox import STATUSES
from app.models.registry import RESOURCES
from app.models.resource import Resource
from app.models.types import UTCDateTime, now
from app.services.shared import audit
from app.services.shared.actor import SYSTEM
from app.services.shared.audit_erasure import (
    BY_NOBODY,
    PERSONAL,
    WITH_TARGET,
    without,
    without_address,
    without_words,
)
from app.sql import Statement, atomic
from app.sql.json_members import Without

BATCH = 2_000  # events of one transaction
RECENT = timedelta(days=2)  # longer than an earlier release runs beside this one
FRESH = [each for each in RESOURCES if each.fresh]
_BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
_at, _last_id = (
    bindparam("at", type_=UTCDateTime()),
    bindparam("last_id", type_=AUDIT_EVENTS.c.id.type),
)
_first, _final = (bindparam(name, type_=UTCDateTime()) for name in ("first", "final"))
_next = Statement[AuditEvent](
    select(AUDIT_EVENTS.c.created_at, AUDIT_EVENTS.c.id)
    .where(
        AuditEvent.created_at >= _at, or_(AuditEvent.created_at > _at, AUDIT_EVENTS.c.id > _last_id)
    )
    .order_by(AuditEvent.created_at, AUDIT_EVENTS.c.id)
    .limit(bindparam("size"))
)
_cleaned = Statement[AuditEvent](
    select(AUDIT_EVENTS.c.id).where(AuditEvent.action == "audit.cleaned").limit(1)
)


def clean() -> None:
    """Erase what earlier releases left: once in all events, later in RECENT ones.

    An earlier release may run beside this one during a rollout.
    """
    is_first = _cleaned.one() is None
    since = _BEGINNING if is_first else now() - RECENT
    _clean(since)
    for payloads in _payloads:
        while _clean_outbox(payloads, since):
            pass
    if is_first:
        _record()


@atomic
def _record() -> None:
    audit.record(SYSTEM, "audit.cleaned", None)


def _clean(since: datetime) -> None:
    place: tuple[datetime, str] | None = (since, "00000000-0000-0000-0000-000000000000")
    while place is not None:
        place = _clean_batch(*place)


@atomic
def _clean_batch(at: datetime, last_id: str) -> tuple[datetime, str] | None:
    """Clean a batch and return its last place, None after the last batch."""
    events = _next.all(at=at, last_id=last_id, size=BATCH)
    if not events:
        return None
    for statement in _trail:
        statement.run(first=events[0].created_at, final=events[-1].created_at)
    return events[-1].created_at, events[-1].id


@atomic
def _clean_outbox(payloads: Statement[OutboxEntry], since: datetime) -> int:
    """Erase the fresh columns from a batch of payloads, and return their number."""
    return payloads.run(since=since)


def _erasures_of_trail() -> Iterator[Any]:
    within = AuditEvent.created_at.between(_first, _final)
    no_actor = and_(
        AuditEvent.actor_id.is_not(None), ~exists().where(User.id == AuditEvent.actor_id)
    )
    no_user = ~exists().where(User.id == AuditEvent.target_id)
    for each in FRESH:
        yield without(each.fresh, within, AuditEvent.action.in_(each.actions))
    yield without_address(within, no_actor)
    yield without_address(within, BY_NOBODY, AuditEvent.target_id.is_not(None), no_user)
    for each in WITH_TARGET:
        is_gone = ~exists().where(table_of(each.model).c.id == AuditEvent.target_id)
        yield without_words(each.name, within, is_gone)
    for each in PERSONAL:
        yield without_words(each.name, within, no_actor)


def _payloads_of(resource: Resource) -> Statement[OutboxEntry]:
    """Return a statement that erases the fresh columns from a batch of payloads."""
    names = tuple(f"data.{name}" for name in resource.fresh)
    shorter = Without(OUTBOX_ENTRIES.c.payload, names)
    batch = (
        select(OUTBOX_ENTRIES.c.id)
        .where(
            OutboxEntry.status.in_(STATUSES),  # lets the database use the index of both
            OutboxEntry.created_at >= bindparam("since", type_=UTCDateTime()),
            OutboxEntry.name.in_(tuple(resource.events or ())),
            shorter != Without(OUTBOX_ENTRIES.c.payload, ()),
        )
        .limit(BATCH)
    )
    erasure = update(OutboxEntry).where(OUTBOX_ENTRIES.c.id.in_(batch))
    return Statement(erasure.values(payload=shorter))


_trail = [Statement[Any](erasure) for erasure in _erasures_of_trail()]
_payloads = [_payloads_of(each) for each in FRESH]
