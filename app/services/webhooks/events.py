"""Events for webhooks: one statement finds the subscribed webhooks and fills the outbox.

It runs in the transaction of the change. The payload has the fields of Standard Webhooks: `type`,
`timestamp`, `data`.
"""

from typing import Any

from sqlalchemy import String, bindparam, cast, func, insert, literal, select

from app.models import WEBHOOKS, Comment, OutboxEntry, Task, User, Webhook
from app.models.task import SHOWN
from app.models.types import Id, Json, UTCDateTime, now
from app.services.shared.actor import Actor
from app.sql import ROW_KEY, Statement

# Without `body`, which deliveries.payload_of adds when the event is sent, so that the outbox keeps
# no text of a comment that was changed or deleted.
COMMENT_FIELDS = ("id", "task_id", "author_id", "created_at", "updated_at")

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
            Webhook.user_id.in_([bindparam(name, type_=Id) for name in ("owner", "new", "old")]),
            _subscribed.contains(" " + _event + " "),
        ),
    ),
    prepared=True,
)
_any = Statement[Webhook](
    select(WEBHOOKS.c.id).where(Webhook.user_id == ROW_KEY, Webhook.is_active).limit(1)
)


def has_any(user_id: str) -> bool:
    """Return True if the user has an active webhook: a check before events of many tasks."""
    return _any.one(key=user_id) is not None


def of_task(actor: Actor, event: str, task: Task, before: Task | None = None) -> None:
    """Queue an event for the owner, the assignee, and the earlier assignee named by `before`."""
    data = {name: getattr(task, name) for name in SHOWN}
    _queue(actor, event, data, task, before.assignee_id if before else None)


def of_comment(actor: Actor, event: str, comment: Comment, task: Task) -> None:
    _queue(actor, event, {name: getattr(comment, name) for name in COMMENT_FIELDS}, task)


def _queue(
    actor: Actor, event: str, data: dict[str, Any], task: Task, also: str | None = None
) -> None:
    moment = now()
    _emit.defer(
        event=event,
        payload={"type": event, "timestamp": moment, "data": data},
        owner=task.owner_id,
        new=task.assignee_id,
        old=also,
        request_id=actor.request_id,
        moment=moment,
    )
