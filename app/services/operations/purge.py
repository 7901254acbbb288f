"""Deletion of expired rows: `flask purge`, also run by `flask worker` every hour."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, select, tuple_

from app import settings
from app.models import AUDIT_EVENTS, AuditEvent
from app.models.base import table_of
from app.models.registry import RESOURCES
from app.models.resource import Purge, Resource
from app.models.types import UTCDateTime, now
from app.services.shared import audit, audit_cleaning, audit_erasure
from app.services.shared.actor import SYSTEM
from app.sql import Statement, atomic

# Rows of one statement: with any number of expired rows, every statement and lock stays short.
BATCH = 2_000


def _older(column: Any) -> Statement[Any]:
    """Return a statement that deletes a batch of the rows whose `column` is before `before`."""
    table = table_of(column.class_)
    key = tuple_(*table.primary_key)
    old = column < bindparam("before", type_=UTCDateTime())
    batch = select(*table.primary_key).where(old).limit(BATCH)
    return Statement(delete(table).where(key.in_(batch), old).returning(*table.primary_key))


_rules: list[tuple[Resource, Purge, Statement[Any]]] = [
    (each, each.purge, _older(each.purge.column)) for each in RESOURCES if each.purge
]
_old_events = _older(AuditEvent.created_at)
_any_event = Statement[AuditEvent](
    select(AUDIT_EVENTS.c.id)
    .where(AuditEvent.created_at < bindparam("before", type_=UTCDateTime()))
    .limit(1)
)


def purge() -> dict[str, int]:
    """Delete expired rows, one commit for each batch. Return the number of rows of each kind."""
    moment = now()
    audit_cleaning.clean()
    removed = {
        rule.label: _all(older, moment - rule.kept, resource.target_type, rule.action)
        for resource, rule, older in _rules
    }
    return {**removed, "audit events": _end_trail(moment)}


def _end_trail(moment: datetime) -> int:
    """Delete the audit events older than the setting allows, in whole days of UTC."""
    days = settings.current().audit_keep_days
    before = (moment - timedelta(days=days)).replace(hour=0, minute=0, second=0, microsecond=0)
    if not days or _any_event.one(before=before) is None:
        return 0
    audit.end_before(before)
    return _all(_old_events, before)


def _all(older: Statement[Any], before: datetime, kind: str = "", action: str = "") -> int:
    removed = 0
    while number := _batch(older, before, kind, action):
        removed += number
    return removed


@atomic
def _batch(older: Statement[Any], before: datetime, kind: str, action: str) -> int:
    gone = older.all(before=before)
    if action:
        for row in gone:
            audit.record(SYSTEM, action, row.id)
        audit_erasure.erase_words(kind, [row.id for row in gone])
    return len(gone)
