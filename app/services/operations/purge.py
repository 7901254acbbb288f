"""Deletion of expired rows: `flask purge`, also run by `flask worker` every hour."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, select, tuple_

from app import settings
from app.models import (
    AUDIT_EVENTS,
    AuditEvent,
    EmailChange,
    IdempotencyRecord,
    OneTimeLink,
    OutboxEntry,
    Session,
    SignInAttempt,
    SpentChallenge,
    Task,
    Token,
    UnsentForm,
    WebhookSecret,
)
from app.models.idempotency_record import KEPT as IDEMPOTENCY_KEPT
from app.models.outbox import KEPT as OUTBOX_KEPT
from app.models.sign_in_attempt import KEPT as ATTEMPTS_KEPT
from app.models.types import UTCDateTime, now
from app.services.shared import audit, audit_erasure
from app.services.shared.actor import SYSTEM
from app.services.tasks.tasks import PURGE_AFTER
from app.sql import Statement, atomic

audit.declare("task", "task.purged")

# Rows of one statement: with any number of expired rows, every statement and lock stays short.
BATCH = 2_000


def _older(column: Any) -> Statement[Any]:
    """Return a statement that deletes a batch of the rows whose `column` is before `before`."""
    table = column.class_.__table__
    key = tuple_(*table.primary_key)
    old = column < bindparam("before", type_=UTCDateTime())
    batch = select(*table.primary_key).where(old).limit(BATCH)
    return Statement(delete(table).where(key.in_(batch), old).returning(*table.primary_key))


_expired_tokens = _older(Token.expires_at)
_expired_links = _older(OneTimeLink.expires_at)
_expired_changes = _older(EmailChange.expires_at)
_expired_forms = _older(UnsentForm.expires_at)
_expired_sessions = _older(Session.expires_at)
_expired_secrets = _older(WebhookSecret.expires_at)
_expired_challenges = _older(SpentChallenge.expires_at)
_old_records = _older(IdempotencyRecord.created_at)
_old_attempts = _older(SignInAttempt.created_at)
_old_entries = _older(OutboxEntry.finished_at)
_old_trash = _older(Task.deleted_at)
_old_events = _older(AuditEvent.created_at)
_any_event = Statement[AuditEvent](
    select(AUDIT_EVENTS.c.id)
    .where(AuditEvent.created_at < bindparam("before", type_=UTCDateTime()))
    .limit(1)
)


def purge() -> dict[str, int]:
    """Delete expired rows, one commit for each batch. Return the number of rows of each kind."""
    moment = now()
    audit_erasure.clean()
    return {
        "tokens": _all(_expired_tokens, moment),
        "links": _all(_expired_links, moment),
        "changes of an address": _all(_expired_changes, moment),
        "unsent forms": _all(_expired_forms, moment),
        "sessions": _all(_expired_sessions, moment),
        "earlier secrets of webhooks": _all(_expired_secrets, moment),
        "idempotency records": _all(_old_records, moment - IDEMPOTENCY_KEPT),
        "sign-in attempts": _all(_old_attempts, moment - ATTEMPTS_KEPT),
        "used challenges of passkeys": _all(_expired_challenges, moment),
        "sent mails and webhooks": _all(_old_entries, moment - OUTBOX_KEPT),
        "tasks in the trash": _all(_old_trash, moment - PURGE_AFTER, "task.purged"),
        "audit events": _end_trail(moment),
    }


def _end_trail(moment: datetime) -> int:
    """Delete the audit events older than the setting allows, in whole days of UTC."""
    days = settings.current().audit_keep_days
    before = (moment - timedelta(days=days)).replace(hour=0, minute=0, second=0, microsecond=0)
    if not days or _any_event.one(before=before) is None:
        return 0
    audit.end_before(before)
    return _all(_old_events, before)


def _all(older: Statement[Any], before: datetime, action: str = "") -> int:
    removed = 0
    while number := _batch(older, before, action):
        removed += number
    return removed


@atomic
def _batch(older: Statement[Any], before: datetime, action: str) -> int:
    gone = older.all(before=before)
    if action:
        for task in gone:
            audit.record(SYSTEM, action, task.id)
        audit_erasure.erase_words("task", [task.id for task in gone])
    return len(gone)
