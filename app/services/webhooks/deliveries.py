"""Deliveries of webhooks: listed, sent again, tested and signed."""

import base64
import hmac
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import bindparam, or_, select

from app.errors import Conflict
from app.models import OUTBOX_ENTRIES, WEBHOOKS, OutboxEntry, User, Webhook
from app.models.base import table_of
from app.models.registry import RESOURCES, holder_of
from app.models.resource import Resource
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
# By event: the resource with columns that are read when the event is sent.
_FRESH = {event: each for each in RESOURCES if each.fresh for event in each.events or ()}
_live = Statement[Webhook](
    select(*WEBHOOKS.c)
    .join(User, User.id == Webhook.user_id)
    .where(WEBHOOKS.c.id == ROW_KEY, Webhook.is_active, User.is_active)
)


def _row_of_user(resource: Resource) -> Statement[Any]:
    """Return a statement that reads the fresh columns of a row that the user can see."""
    table, holder = table_of(resource.model), holder_of(resource)
    query = select(*(table.c[name] for name in resource.fresh)).where(
        table.c.id == ROW_KEY, or_(*(person == _user_id for person in holder.person))
    )
    if resource.parent is not None:
        query = query.join(holder.model, table_of(holder.model).c.id == resource.parent)
    return Statement(query if holder.live is None else query.where(holder.live))


_readable = {each.name: _row_of_user(each) for each in _FRESH.values()}


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
    """Return the payload to send, with the present values of the fresh columns of the record.

    They are None if the record is deleted or the webhook's user can no longer see it.
    """
    payload, resource = entry.payload, _FRESH.get(entry.name)
    if resource is None:
        return payload
    row = _readable[resource.name].one(key=payload["data"]["id"], user_id=webhook.user_id)
    fresh = {name: getattr(row, name, None) for name in resource.fresh}
    return {**payload, "data": {**payload["data"], **fresh}}


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
