"""Events for webhooks: one statement finds the subscribed webhooks and fills the outbox.

It runs in the transaction of the change. The payload has the fields of Standard Webhooks: `type`,
`timestamp`, `data`.
"""

from typing import Any

from sqlalchemy import String, bindparam, cast, func, insert, literal, select

from app.models import WEBHOOKS, OutboxEntry, User, Webhook
from app.models.types import Id, Json, UTCDateTime, now
from app.services.shared.actor import Actor
from app.sql import ROW_KEY, Statement

_PERSONS = ("first", "second", "third")
# A cast, because PREPARE would give the two uses two types.
_event = cast(bindparam("event"), String)
_moment = bindparam("moment", type_=UTCDateTime())
_entry: dict[str, Any] = {
    "id": func.gen_random_uuid(),
    "kind": literal("webhook"),
    "name": _event,
    "payload": bindparam("payload", type_=Json),
    "user_id": Webhook.user_id,
    "webhook_id": WEBHOOKS.c.id,
    "status": literal("pending"),
    "attempts": literal(0),
    "fence": literal(0),
    "run_at": _moment,
    "error": literal(""),
    "request_id": bindparam("request_id", type_=String),
    "created_at": _moment,
}
_subscribed = " " + Webhook.events + " "
_emit = Statement[OutboxEntry](
    insert(OutboxEntry).from_select(
        list(_entry),
        select(*_entry.values())
        .join(User, User.id == Webhook.user_id)
        .where(
            Webhook.is_active,
            User.is_active,
            Webhook.user_id.in_([bindparam(name, type_=Id) for name in _PERSONS]),
            _subscribed.contains(" " + _event + " "),
        ),
    ),
    prepared=True,
)
_any = Statement[Webhook](
    select(WEBHOOKS.c.id).where(Webhook.user_id == ROW_KEY, Webhook.is_active).limit(1)
)


def has_any(user_id: str) -> bool:
    """Return True if the user has an active webhook: a check before events of many records."""
    return _any.one(key=user_id) is not None


def emit(
    actor: Actor,
    event: str,
    data: dict[str, Any],
    first: str,
    second: str | None = None,
    third: str | None = None,
) -> None:
    """Queue an event of a record with the values `data` for the webhooks of up to three users."""
    moment = now()
    _emit.defer(
        event=event,
        payload={"type": event, "timestamp": moment, "data": data},
        first=first,
        second=second,
        third=third,
        request_id=actor.request_id,
        moment=moment,
    )
