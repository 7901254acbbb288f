"""Export of all data stored about a user (GDPR, articles 15 and 20)."""

from typing import Any

from sqlalchemy import BindParameter, ColumnElement, bindparam, or_, select

from app.models import AuditEvent, SignInAttempt
from app.models.base import table_of
from app.models.registry import RESOURCES
from app.models.resource import Resource
from app.services.shared import audit, throttle
from app.services.shared.actor import Actor
from app.services.users import users
from app.sql import Statement, atomic

_user: BindParameter[str] = bindparam("user_id")
_WITHHELD = frozenset(  # of any table
    {
        "hash",
        "password_hash",
        "parent_id",
        "family_id",
        "account",
        "fingerprint",
        "secret",
        "public_key",
    }
)
_COUNTERS = {kind.replace(" ", "_"): kind for kind in throttle.CODE_KINDS}
_FRESH_PATHS = [f"/{each.plural}/" for each in RESOURCES if each.fresh]
# The address and ids of another actor are that actor's personal data.
_OF_ANOTHER = {"address": "", "token_id": None, "request_id": ""}
# Tables whose rows no key to users finds.
_CONDITIONS: dict[str, ColumnElement[bool]] = {
    "sign_in_attempts": SignInAttempt.account.in_(
        [bindparam(name) for name in ("account", *_COUNTERS)]
    ),
    "audit_events": or_(AuditEvent.actor_id == _user, AuditEvent.target_id == _user),
}


def _rows_of_user(resource: Resource) -> Statement[Any]:
    table = table_of(resource.model)
    columns = [column for column in table.c if column.key not in _WITHHELD | resource.withheld]
    found = _CONDITIONS.get(resource.plural)
    if found is None:
        found = or_(*(person == _user for person in resource.person))
    order = (table.c.created_at, *table.primary_key)
    return Statement(select(*columns).where(found).order_by(*order))


# The lists of the export, beside the account itself.
STATEMENTS = {each.plural: _rows_of_user(each) for each in RESOURCES if each.is_exported}


@atomic
def export(actor: Actor) -> dict[str, Any]:
    """Return every row without secrets and hashes: {"user": {...}, "tokens": [...], ...}."""
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
        if any(path in record["headers"].get("Location", "") for path in _FRESH_PATHS):
            record["body"] = ""  # a copy of a record that may be deleted since
    for event in found["audit_events"]:
        if event["actor_id"] not in (None, actor.id):
            event.update(_OF_ANOTHER)
    return {"user": _plain(user), **found}


def _plain(row: Any) -> dict[str, Any]:
    return {name: value for name, value in row._asdict().items() if name not in _WITHHELD}
