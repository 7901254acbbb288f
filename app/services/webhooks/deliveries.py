"""Deliveries of webhooks: listed, sent again, tested and signed."""

import base64
import hmac
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import bindparam, or_, select

from app.errors import Conflict
from app.models import COMMENTS, OUTBOX_ENTRIES, WEBHOOKS, Comment, OutboxEntry, Task, User, Webhook
from app.models.task import LIVE
from app.models.types import Id, now
from app.services.outbox import outbox
from app.services.shared import audit, paging
from app.services.shared.actor import Actor
from app.services.shared.existence import require_found
from app.services.shared.paging import FIRST_PAGE, Page, PageRequest
from app.services.webhooks import webhooks
from app.sql import ROW_KEY, Statement, atomic

TEST_EVENT = "webhook.test"

_user_id = bindparam("user_id", type_=Id)
_get = Statement[OutboxEntry](
    select(*OUTBOX_ENTRIES.c).where(
        OUTBOX_ENTRIES.c.id == ROW_KEY, OutboxEntry.webhook_id == bindparam("webhook")
    )
)
_readable = Statement[Comment](
    select(Comment.body)
    .join(Task, Task.id == Comment.task_id)
    .where(
        COMMENTS.c.id == ROW_KEY,
        LIVE,
        or_(Task.owner_id == _user_id, Task.assignee_id == _user_id),
    )
)
_live = Statement[Webhook](
    select(*WEBHOOKS.c)
    .join(User, User.id == Webhook.user_id)
    .where(WEBHOOKS.c.id == ROW_KEY, Webhook.is_active, User.is_active)
)


def page(
    actor: Actor,
    webhook_id: str,
    request: PageRequest = FIRST_PAGE,
    *,
    webhook: Webhook | None = None,
) -> Page[OutboxEntry]:
    """Return the deliveries of a webhook, the newest first. Raises NotFound.

    `webhook` is the webhook itself if the caller has read it already.
    """
    webhook = webhook or webhooks.get(actor, webhook_id)
    of_webhook = [OutboxEntry.webhook_id == webhook.id]
    return paging.read(OutboxEntry, of_webhook, request)


@atomic
def redeliver(actor: Actor, webhook_id: str, delivery_id: str) -> OutboxEntry:
    """Send a delivery that has ended again, with the same id. Raises NotFound, Conflict."""
    webhook = _sending(actor, webhook_id)
    require_found(_get.one(key=delivery_id, webhook=webhook.id), "delivery")
    again = outbox.retry(delivery_id)
    if again is None:
        raise Conflict("The delivery has not ended yet and is retried automatically.")
    changes: audit.Changes = {"id": [None, delivery_id]}
    audit.record(actor, "webhook.redelivered", webhook.id, changes)
    return again


@atomic
def test(actor: Actor, webhook_id: str) -> OutboxEntry:
    """Send a test event. Raises NotFound, Conflict if the webhook is switched off."""
    webhook = _sending(actor, webhook_id)
    data = {"webhook_id": webhook.id}
    payload = {"type": TEST_EVENT, "timestamp": now(), "data": data}
    entry_id = outbox.add(
        "webhook",
        TEST_EVENT,
        payload,
        user_id=webhook.user_id,
        webhook_id=webhook.id,
        request_id=actor.request_id,
    )
    entry = _get.one(key=entry_id, webhook=webhook.id)
    assert entry is not None
    return entry


def _sending(actor: Actor, webhook_id: str) -> Webhook:
    webhook = webhooks.lock(actor, webhook_id)
    if not webhook.is_active:
        raise Conflict("The webhook is switched off.")
    return webhook


def payload_of(entry: OutboxEntry, webhook: Webhook) -> dict[str, Any]:
    """Return the payload to send. The event of a comment gets the current `body` of the comment.

    `body` is None if the comment is deleted or the webhook's user can no longer see its task.
    """
    payload = entry.payload
    if not entry.name.startswith("comment."):
        return payload
    comment = _readable.one(key=payload["data"]["id"], user_id=webhook.user_id)
    return {**payload, "data": {**payload["data"], "body": comment and comment.body}}


def live(webhook_id: str) -> Webhook | None:
    """Return the webhook, or None if it or its user's account is inactive."""
    return _live.one(key=webhook_id)


def sign(secrets: Sequence[str], entry_id: str, moment: datetime, body: bytes) -> dict[str, str]:
    """Return the headers of a delivery (Standard Webhooks 1.0.0).

    There is one signature for each secret, an HMAC-SHA256 of id, time and body.
    """
    stamp = str(int(moment.timestamp()))
    signed = f"{entry_id}.{stamp}.".encode() + body
    return {
        "webhook-id": entry_id,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(_signature(secret, signed) for secret in secrets),
    }


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(webhooks.SECRET_PREFIX))
    return f"v1,{base64.b64encode(hmac.digest(key, signed, sha256)).decode()}"
