"""The audit trail, written in the transaction of the change: neither is stored without the other.

Each resource declares its actions (app/models/registry.py).
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, insert

from app.models import AUDIT_EVENTS, AuditEvent
from app.models.registry import ACTIONS as DECLARED
from app.models.types import now, uuid7
from app.services.shared import paging
from app.services.shared.actor import SYSTEM, Actor
from app.services.shared.paging import FIRST_PAGE, Page, PageRequest
from app.sql import Batch, Statement, atomic

_insert = Statement[AuditEvent](insert(AUDIT_EVENTS), prepared=True)
_many = Batch(AUDIT_EVENTS)

# The target type of each action; a refused admin operation belongs to no resource.
ACTIONS: Mapping[str, str] = {**DECLARED, "admin.denied": "route"}
Changes = dict[str, list[Any]]
observers: list[Callable[[str], None]] = []  # called with every action
SECRET_FIELDS = frozenset({"password", "password_hash", "current_password"})


def record(
    actor: Actor, action: str, target_id: str | None, changes: Changes | None = None
) -> None:
    """Record a declared action; `changes` holds [old, new] for each field."""
    _insert.defer(**_row(actor, action, target_id, changes))
    for observe in observers:
        observe(action)


def record_each(actor: Actor, action: str, changes: Sequence[tuple[str, Changes]]) -> None:
    """Record one action on many targets: `changes` holds each target's id and changes."""
    _many.insert([_row(actor, action, target_id, news) for target_id, news in changes])
    for observe in observers:
        for _ in changes:
            observe(action)


def _row(
    actor: Actor, action: str, target_id: str | None, changes: Changes | None
) -> dict[str, Any]:
    assert SECRET_FIELDS.isdisjoint(changes or ()), changes
    return {
        "id": uuid7(),
        "actor_id": actor.id or None,
        "token_id": actor.token_id,
        "action": action,
        "target_type": ACTIONS[action],
        "target_id": target_id,
        "changes": changes or {},
        "address": actor.address,
        "request_id": actor.request_id,
        "created_at": now(),
    }


@atomic
def denied(actor: Actor, what: str) -> None:
    """Record that a user without admin rights called an admin operation (ASVS 5.0, 16.3.2)."""
    record(actor, "admin.denied", None, {"route": [None, what]})


@atomic
def end_before(moment: datetime) -> None:
    """Record that the trail begins at `moment`: the database then allows deleting older events."""
    text = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")  # fixed width: sortable
    record(SYSTEM, "audit.purged", None, {"before": [None, text]})


def page(
    actor: Actor,
    request: PageRequest = FIRST_PAGE,
    *,
    actor_id: str | None = None,
    action: str | None = None,
    target_type: str | None = None,
    target_id: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Page[AuditEvent]:
    """Return a page of events, the newest first. `since` is inclusive, `until` exclusive.

    Raises Forbidden, FactorRequired unless the actor is an admin.
    """
    actor.require_admin()
    given = {
        AuditEvent.actor_id: actor_id,
        AuditEvent.action: action,
        AuditEvent.target_type: target_type,
        AuditEvent.target_id: target_id,
    }
    conditions: list[ColumnElement[bool]] = [
        column == value for column, value in given.items() if value
    ]
    if since is not None:
        conditions.append(AuditEvent.created_at >= since)
    if until is not None:
        conditions.append(AuditEvent.created_at < until)
    followed = since is not None
    return paging.read(AuditEvent, conditions, request, followed=followed)
