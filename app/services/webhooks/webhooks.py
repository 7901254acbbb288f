"""Webhooks: a user's URLs that receive changes of the user's records."""

import base64
import secrets
from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import (
    bindparam,
    delete as delete_,
    func,
    select,
)

from app.errors import Conflict, Invalid
from app.faults import Code, Fault
from app.models import WEBHOOKS, Webhook
from app.models.registry import EVENTS
from app.models.types import UTCDateTime
from app.models.webhook import PER_USER_MAX, RESOURCE
from app.services.authentication import credentials
from app.services.outbox import mails
from app.services.shared import audit, encryption
from app.services.shared.actor import Actor
from app.services.shared.filters import Filter
from app.services.shared.paging import FIRST_PAGE, Page, PageRequest
from app.services.shared.preconditions import Expect
from app.services.shared.records import Records
from app.services.webhooks import target_urls
from app.sql import ROW_KEY, Statement, atomic

SECRET_PREFIX = "whsec_"  # noqa: S105 - of Standard Webhooks; 32 random bytes in base64 follow


def _tell_owner(actor: Actor, action: str, webhook: Webhook, before: Webhook | None) -> None:
    if action == "webhook.created":
        mails.notify_owner(actor, actor.id, "webhook_created", details=[webhook.url])
    elif before is not None and webhook.url != before.url:
        details = [f"Before: {before.url}", f"Now: {webhook.url}"]
        mails.notify_owner(actor, actor.id, "webhook_changed", details=details)


RECORDS = Records[Webhook](
    RESOURCE,
    sorts={"created_at": WEBHOOKS.c.created_at},
    filters={"owner_id": Filter(WEBHOOKS.c.user_id), "is_active": Filter(WEBHOOKS.c.is_active)},
    # A change by the owner resets the failures.
    derive=lambda values, _before: {**values, "failing_since": None},
    tell=_tell_owner,
    for_admins=False,
)
page, get, lock, delete = RECORDS.page, RECORDS.get, RECORDS.lock, RECORDS.delete
_count = Statement[Any](
    select(func.count().label("number")).select_from(Webhook).where(Webhook.user_id == ROW_KEY)
)
_delete_older = Statement[Webhook](
    delete_(Webhook)
    .where(
        Webhook.user_id == ROW_KEY,
        Webhook.created_at <= bindparam("before", type_=UTCDateTime()),
        Webhook.updated_at >= bindparam("since", type_=UTCDateTime()),
    )
    .returning(WEBHOOKS.c.id, WEBHOOKS.c.url)
)


def page_of_all(actor: Actor, request: PageRequest = FIRST_PAGE, **filters: Any) -> Page[Webhook]:
    """Return all users' webhooks for an admin, the newest first.

    `filters` are `owner_id` and `is_active`; None is no filter.
    """
    wanted = {name: value for name, value in filters.items() if value is not None}
    return RECORDS.page(actor, request, filters=wanted, everyone=True)


def create(
    actor: Actor, url: str, events: Collection[str], is_active: bool = True
) -> tuple[Webhook, str]:
    """Create a webhook and return it with its signing secret, which is shown only once.

    Raises Invalid, EmailUnconfirmed, and Conflict for more than PER_USER_MAX webhooks.
    """
    target_urls.check(url)  # before the transaction: name resolution may be slow
    return _create(actor, url, _events(events), is_active)


@atomic
def _create(actor: Actor, url: str, events: str, is_active: bool) -> tuple[Webhook, str]:
    credentials.hold_confirmed(actor.id)  # also serializes concurrent creations, for the limit
    if _count.scalar(key=actor.id) >= PER_USER_MAX:
        raise Conflict(f"You have {PER_USER_MAX} webhooks: remove one first.")
    secret = new_secret()
    values = {"url": url, "events": events, "is_active": is_active}
    webhook = RECORDS.create(actor, {**values, "secret": encryption.seal(secret)})
    return webhook, secret


def new_secret() -> str:
    """Return 32 random bytes in the form of Standard Webhooks."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def update(
    actor: Actor, webhook_id: str, changes: dict[str, Any], expect: Expect = None
) -> Webhook:
    """Change `url`, `events` or `is_active`.

    Raises NotFound, Invalid, PreconditionFailed, EmailUnconfirmed.
    """
    if "url" in changes:
        get(actor, webhook_id)  # NotFound takes precedence over an invalid URL
        target_urls.check(changes["url"])
    if "events" in changes:
        changes = {**changes, "events": _events(changes["events"])}
    return _update_in_transaction(actor, webhook_id, changes, expect)


@atomic
def _update_in_transaction(
    actor: Actor, webhook_id: str, changes: dict[str, Any], expect: Expect
) -> Webhook:
    credentials.hold_confirmed(actor.id)
    return RECORDS.update(actor, webhook_id, changes, expect)


@atomic
def delete_all(
    actor: Actor, user_id: str, before: datetime, since: datetime = credentials.BEGINNING
) -> int:
    """Delete the webhooks created until `before` and created or changed since `since`.

    Return their number.
    """
    older = _delete_older.all(key=user_id, before=before, since=since)
    for webhook in older:
        audit.record(actor, "webhook.deleted", webhook.id, {"url": [webhook.url, None]})
    return len(older)


def _events(events: Collection[str]) -> str:
    """Return the events in their stored form. Raises Invalid."""
    if not events or not set(EVENTS).issuperset(events):
        why = f"Use some of {', '.join(EVENTS)}."
        raise Invalid("One of the values is not valid.", {"events": Fault(Code.NOT_A_CHOICE, why)})
    return " ".join(event for event in EVENTS if event in events)
