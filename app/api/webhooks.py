"""Webhooks: URLs that receive changes of their owner's records."""

from types import SimpleNamespace
from typing import Any, ClassVar

from flask import Blueprint
from marshmallow import Schema, fields

from app.api.http.declaration import ListQuery
from app.api.http.operation import operation
from app.api.http.request_parsing import JSON, MERGE_PATCH
from app.errors import Conflict, EmailUnconfirmed, NotFound, PreconditionFailed
from app.models import OutboxEntry, Webhook
from app.models.registry import EVENTS, scopes_of_events
from app.models.webhook import URL_MAX
from app.schemas.coded_fields import Length, List
from app.schemas.fields import Flag, Identifier, Moment, Strict, Text, choice
from app.schemas.names import outside_names
from app.services.shared.actor import Actor
from app.services.shared.paging import Page, PageRequest
from app.services.shared.preconditions import Expect
from app.services.webhooks import (
    deliveries as webhook_deliveries,
    signing_secrets,
    target_urls,
    webhooks,
)

bp = Blueprint("webhooks", __name__, url_prefix="/webhooks")
READ, WRITE = scopes_of_events("read"), scopes_of_events("write")
# Status of a delivery by the status of its outbox entry.
STATUSES = {"pending": "pending", "done": "delivered", "dead": "failed"}


class WebhookOut(Schema):
    id = Identifier(required=True)
    url = Text(required=True)
    events = fields.List(choice(tuple(EVENTS)), required=True)
    is_active = Flag(
        required=True,
        metadata={"description": "Set to false after days of failures or a 410 response."},
    )
    created_at = Moment(required=True)


class NewWebhookOut(WebhookOut):
    secret = Text(required=True, metadata={"description": "The signing key, returned only once."})


class SecretOut(Schema):
    secret = Text(
        required=True,
        metadata={"description": "The new signing key, returned only once."},
    )


class WebhookIn(Strict):
    url = Text(
        required=True,
        validate=Length(min=1, max=URL_MAX),
        metadata={
            "pattern": target_urls.PATTERN,
            "description": "An http or https URL with a public address.",
        },
    )
    events = List(choice(tuple(EVENTS)), required=True, validate=Length(min=1))
    is_active = Flag()
    resource_fields = outside_names(NewWebhookOut())
    example: ClassVar[dict[str, Any]] = {
        "url": "https://hooks.example.com/tasks",
        "events": list(EVENTS)[:2],
    }


class DeliveryOut(Schema):
    id = Identifier(
        required=True, metadata={"description": "The `webhook-id` header, equal in all attempts."}
    )
    event = Text(required=True)
    status = choice(tuple(STATUSES.values()), required=True)
    attempts = fields.Integer(required=True)
    response_status = fields.Integer(required=True, allow_none=True)
    error = Text(required=True, metadata={"description": "Error of the last attempt, or empty."})
    payload = fields.Dict(
        required=True,
        metadata={"description": "The request body; sending adds the text of a comment."},
    )
    created_at = Moment(required=True)
    next_attempt_at = Moment(required=True, allow_none=True)
    finished_at = Moment(required=True, allow_none=True)


@bp.get("")
@operation(
    id="listWebhooks",
    summary="List my webhooks",
    scopes=READ,
    query=ListQuery(),
    returns=WebhookOut(),
)
def index(actor: Actor, query: dict[str, Any], paging: PageRequest) -> Page[Any]:
    """Webhooks are ordered newest first."""
    page = webhooks.page(actor, paging, **query)
    return Page([_webhook_row(webhook) for webhook in page.items], page.last, page.total)


@bp.post("")
@operation(
    id="createWebhook",
    summary="Create a webhook",
    scopes=WRITE,
    body=WebhookIn(),
    returns=NewWebhookOut(),
    status=201,
    location="/api/v1/webhooks/{0.id}",
    etag=True,
    errors=(EmailUnconfirmed, Conflict),
)
def create(actor: Actor, body: dict[str, Any]) -> Any:
    """Returns the `secret` that signs the deliveries (Standard Webhooks)."""
    webhook, secret = webhooks.create(actor, **body)
    return _webhook_row(webhook, secret=secret)


@bp.get("/<id:webhook_id>")
@operation(
    id="getWebhook",
    summary="Get a webhook",
    scopes=READ,
    returns=WebhookOut(),
    etag=True,
    reads=webhooks.RECORDS.of_holder,
    errors=(NotFound,),
)
def show(actor: Actor, webhook_id: str, record: Webhook | None) -> Any:
    return _webhook_row(record or webhooks.get(actor, webhook_id))


@bp.patch("/<id:webhook_id>")
@operation(
    id="updateWebhook",
    summary="Update a webhook",
    scopes=WRITE,
    body=WebhookIn(partial=True),
    body_types=(JSON, MERGE_PATCH),
    returns=WebhookOut(),
    etag=True,
    if_match=True,
    errors=(EmailUnconfirmed, NotFound, PreconditionFailed),
)
def update(actor: Actor, webhook_id: str, body: dict[str, Any], expect: Expect) -> Any:
    return _webhook_row(webhooks.update(actor, webhook_id, body, expect))


@bp.delete("/<id:webhook_id>")
@operation(
    id="deleteWebhook",
    summary="Delete a webhook",
    scopes=WRITE,
    status=204,
    if_match=True,
    errors=(NotFound, PreconditionFailed),
)
def delete(actor: Actor, webhook_id: str, expect: Expect) -> None:
    """Deletes the webhook's deliveries too, including pending ones."""
    webhooks.delete(actor, webhook_id, expect)


@bp.get("/<id:webhook_id>/deliveries")
@operation(
    id="listWebhookDeliveries",
    summary="List webhook deliveries",
    scopes=READ,
    query=ListQuery(),
    returns=DeliveryOut(),
    reads=webhooks.RECORDS.of_holder,
    errors=(NotFound,),
)
def deliveries(
    actor: Actor,
    webhook_id: str,
    record: Webhook | None,
    query: dict[str, Any],
    paging: PageRequest,
) -> Page[Any]:
    """Deliveries are ordered newest first. Finished deliveries are kept for 30 days."""
    page = webhook_deliveries.page(actor, webhook_id, paging, webhook=record, **query)
    return Page([_delivery_row(entry) for entry in page.items], page.last, page.total)


@bp.post("/<id:webhook_id>/deliveries/<id:delivery_id>/redeliver")
@operation(
    id="resendWebhookDelivery",
    summary="Resend a webhook delivery",
    scopes=WRITE,
    returns=DeliveryOut(),
    status=202,
    errors=(NotFound, Conflict),
)
def redeliver(actor: Actor, webhook_id: str, delivery_id: str) -> Any:
    """Queues a delivered or failed delivery again, with the same `webhook-id`."""
    return _delivery_row(webhook_deliveries.redeliver(actor, webhook_id, delivery_id))


@bp.post("/<id:webhook_id>/test")
@operation(
    id="testWebhook",
    summary="Test a webhook",
    scopes=WRITE,
    returns=DeliveryOut(),
    status=202,
    errors=(NotFound, Conflict),
)
def test(actor: Actor, webhook_id: str) -> Any:
    """Sends a `webhook.test` event, even if the webhook does not subscribe to it."""
    return _delivery_row(webhook_deliveries.test(actor, webhook_id))


@bp.post("/<id:webhook_id>/rotate-secret")
@operation(
    id="rotateWebhookSecret",
    summary="Rotate a webhook secret",
    scopes=WRITE,
    returns=SecretOut(),
    errors=(EmailUnconfirmed, NotFound, Conflict),
)
def rotate_secret(actor: Actor, webhook_id: str) -> Any:
    """For 24 hours both the old and the new secret sign deliveries.

    `webhook-signature` then contains one signature per secret, separated by spaces.
    """
    return SimpleNamespace(secret=signing_secrets.rotate(actor, webhook_id))


def _webhook_row(row: Webhook, **more: str) -> SimpleNamespace:
    values = {name: getattr(row, name) for name in WebhookOut().fields}
    return SimpleNamespace(**{**values, "events": row.events.split()}, version=row.version, **more)


def _delivery_row(entry: OutboxEntry) -> SimpleNamespace:
    same = ("id", "attempts", "response_status", "error", "payload", "created_at", "finished_at")
    values = {name: getattr(entry, name) for name in same}
    waiting = entry.run_at if entry.status == "pending" else None
    status = STATUSES[entry.status]
    return SimpleNamespace(**values, event=entry.name, status=status, next_attempt_at=waiting)
