"""The erasure of deleted data from the audit trail. Action, actor id and time of an event stay.

A trigger allows erasing an event's network address and members of `changes`, and refuses any other
change (migrations/versions/20261130082854_trail_that_loses_words.py).
"""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, exists, or_, select, update

from app.models import AUDIT_EVENTS, OUTBOX_ENTRIES, AuditEvent, OutboxEntry, Task, User
from app.models.outbox import STATUSES
from app.models.types import UTCDateTime, now
from app.services.shared import audit
from app.services.shared.actor import SYSTEM
from app.sql import ROW_KEY, Statement, atomic
from app.sql.json_members import Without

audit.declare("trail", "audit.cleaned")

BATCH = 2_000  # events of one transaction
RECENT = timedelta(days=2)  # longer than an earlier release runs beside this one
COMMENT_ACTIONS = ("comment.created", "comment.updated", "comment.deleted")
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


_shorter = Without(OUTBOX_ENTRIES.c.payload, ("data.body",))
_payloads = Statement[OutboxEntry](
    update(OutboxEntry)
    .where(
        OUTBOX_ENTRIES.c.id.in_(
            select(OUTBOX_ENTRIES.c.id)
            .where(
                OutboxEntry.status.in_(STATUSES),  # lets the database use the index of both
                OutboxEntry.created_at >= bindparam("since", type_=UTCDateTime()),
                OutboxEntry.name.in_(COMMENT_ACTIONS),
                _shorter != Without(OUTBOX_ENTRIES.c.payload, ()),
            )
            .limit(BATCH)
        )
    )
    .values(payload=_shorter)
)


def erase_account(user_id: str) -> None:
    """Erase the names, email addresses and network addresses of an account, but not its id."""
    for statement in _of_account():
        statement.run(key=user_id)


def erase_words(kind: str, ids: Collection[str] | Select[Any]) -> None:
    """Erase the words of the targets of this kind with these ids."""
    if isinstance(ids, Select) or ids:
        Statement[Any](_without_words(kind, AuditEvent.target_id.in_(ids))).run()


def clean() -> None:
    """Erase what earlier releases left in the trail: once in all events, later in RECENT ones.

    An earlier release may run beside this one during a rollout.
    """
    is_first = _cleaned.one() is None
    since = _BEGINNING if is_first else now() - RECENT
    _clean(since)
    while _clean_outbox(since):
        pass
    if is_first:
        _tell()


@atomic
def _tell() -> None:
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
    for statement in _of_the_gone():
        statement.run(first=events[0].created_at, final=events[-1].created_at)
    return events[-1].created_at, events[-1].id


@atomic
def _clean_outbox(since: datetime) -> int:
    """Erase comments from a batch of outbox payloads, and return the number of payloads."""
    return _payloads.run(since=since)


def _without_words(kind: str, *conditions: ColumnElement[bool]) -> Any:
    kind_words = audit.WORDS[kind]
    return _without(kind_words, AuditEvent.target_type == kind, *conditions)


def _without(names: tuple[str, ...], *conditions: ColumnElement[bool]) -> Any:
    shorter, same = Without(AUDIT_EVENTS.c.changes, names), Without(AUDIT_EVENTS.c.changes, ())
    return update(AuditEvent).where(*conditions, shorter != same).values(changes=shorter)


def _without_address(*conditions: ColumnElement[bool]) -> Any:
    return update(AuditEvent).where(*conditions, AuditEvent.address != "").values(address="")


_BY_NOBODY = and_(AuditEvent.actor_id.is_(None), AuditEvent.target_type == "user")


@cache  # all words are declared before the first call
def _of_account() -> list[Statement[Any]]:
    by_them, to_them = AuditEvent.actor_id == ROW_KEY, AuditEvent.target_id == ROW_KEY
    erasures = [
        _without_address(by_them),
        _without_address(to_them, _BY_NOBODY),
        _without_words("user", to_them),
        *(_without_words(kind, by_them) for kind in _belongings()),
    ]
    return [Statement(erasure) for erasure in erasures]


@cache
def _of_the_gone() -> list[Statement[Any]]:
    within = AuditEvent.created_at.between(_first, _final)
    no_actor = and_(
        AuditEvent.actor_id.is_not(None), ~exists().where(User.id == AuditEvent.actor_id)
    )
    no_user = ~exists().where(User.id == AuditEvent.target_id)
    no_task = ~exists().where(Task.id == AuditEvent.target_id)
    erasures = [
        _without(("body",), within, AuditEvent.action.in_(COMMENT_ACTIONS)),
        _without_address(within, no_actor),
        _without_address(within, _BY_NOBODY, AuditEvent.target_id.is_not(None), no_user),
        _without_words("user", within, no_user),
        _without_words("task", within, no_task),
        *(_without_words(kind, within, no_actor) for kind in _belongings()),
    ]
    return [Statement(erasure) for erasure in erasures]


def _belongings() -> list[str]:
    """Return the target types whose words belong to the actor."""
    return [kind for kind in sorted(audit.WORDS) if kind not in ("user", "task")]
