"""Export of all data stored about a user (GDPR, articles 15 and 20)."""

from typing import Any

from sqlalchemy import BindParameter, bindparam, or_, select

from app.models import (
    AuditEvent,
    Comment,
    Factor,
    IdempotencyRecord,
    LinkedAccount,
    OneTimeLink,
    OutboxEntry,
    RecoveryCode,
    Session,
    SignInAttempt,
    Task,
    Token,
    UnsentForm,
    Webhook,
)
from app.services.shared import audit, throttle
from app.services.shared.actor import Actor
from app.services.users import users
from app.sql import Statement, atomic

audit.declare("user", "user.exported")

_user: BindParameter[str] = bindparam("user_id")
_WITHHELD = frozenset(
    {
        "hash",
        "password_hash",
        "label_keys",
        "search_words",
        "search_version",
        "parent_id",
        "family_id",
        "account",
        "fingerprint",
        "secret",
        "public_key",
    }
)
_COUNTERS = {kind.replace(" ", "_"): kind for kind in throttle.CODE_KINDS}
# Foreign keys to users that the export omits ("table.column"), each with the reason. A test
# fails for any other.
LEFT_OUT: dict[str, str] = {
    "email_changes.user_id": "The audit events hold each change of the address.",
}
# The address and ids of another actor are that actor's personal data.
_OF_ANOTHER = {"address": "", "token_id": None, "request_id": ""}


def _of(model: Any, *conditions: Any) -> Statement[Any]:
    table = model.__table__
    columns = [column for column in table.c if column.key not in _WITHHELD]
    order = (table.c.created_at, *table.primary_key)
    return Statement(select(*columns).where(*conditions).order_by(*order))


# The lists of the export, beside the account itself.
STATEMENTS = {
    "tasks": _of(Task, or_(Task.owner_id == _user, Task.assignee_id == _user)),
    "comments": _of(Comment, Comment.author_id == _user),
    "tokens": _of(Token, Token.user_id == _user),
    "sessions": _of(Session, Session.user_id == _user),
    "identities": _of(LinkedAccount, LinkedAccount.user_id == _user),
    "sign_in_attempts": _of(
        SignInAttempt,
        SignInAttempt.account.in_([bindparam(name) for name in ("account", *_COUNTERS)]),
    ),
    "factors": _of(Factor, Factor.user_id == _user),
    "recovery_codes": _of(RecoveryCode, RecoveryCode.user_id == _user),
    "webhooks": _of(Webhook, Webhook.user_id == _user),
    "unsent_forms": _of(UnsentForm, UnsentForm.user_id == _user),
    "links": _of(OneTimeLink, OneTimeLink.user_id == _user),
    "outbox": _of(OutboxEntry, OutboxEntry.user_id == _user),
    "idempotency_records": _of(IdempotencyRecord, IdempotencyRecord.user_id == _user),
    "audit_events": _of(
        AuditEvent, or_(AuditEvent.actor_id == _user, AuditEvent.target_id == _user)
    ),
}


@atomic
def export(actor: Actor) -> dict[str, Any]:
    """Return every row without secrets and hashes: {"user": {...}, "tasks": [...], ...}."""
    audit.record(actor, "user.exported", actor.id)
    user: Any = users.get(actor, actor.id)
    keys = {
        "user_id": actor.id,
        "account": throttle.account_of(actor.id, ""),
        **{name: throttle.account_of_codes(user, kind) for name, kind in _COUNTERS.items()},
    }
    found = {
        name: [_plain(row) for row in statement.all(**keys)]
        for name, statement in STATEMENTS.items()
    }
    for record in found["idempotency_records"]:
        if "/comments/" in record["headers"].get("Location", ""):
            record["body"] = ""  # a copy of a comment that may be deleted since
    for event in found["audit_events"]:
        if event["actor_id"] not in (None, actor.id):
            event.update(_OF_ANOTHER)
    return {"user": _plain(user), **found}


def _plain(row: Any) -> dict[str, Any]:
    return {name: value for name, value in row._asdict().items() if name not in _WITHHELD}
