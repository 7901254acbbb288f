"""Webhooks: a user's URLs that receive changes of the user's records."""

import base64
import secrets
from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    and_,
    bindparam,
    delete as delete_,
    func,
    insert,
    select,
    update as update_,
)

from app.errors import Conflict, Invalid
from app.faults import Code, Fault
from app.models import WEBHOOKS, User, Webhook
from app.models.registry import EVENTS
from app.models.types import UTCDateTime, now, uuid7
from app.models.webhook import PER_USER_MAX
from app.services.authentication import credentials
from app.services.outbox import mails
from app.services.shared import audit, encryption, paging
from app.services.shared.actor import Actor
from app.services.shared.existence import require_found
from app.services.shared.holder_records import HolderRecord
from app.services.shared.paging import FIRST_PAGE, Page, PageRequest
from app.services.shared.preconditions import Expect, check
from app.services.webhooks import target_urls
from app.sql import ROW_KEY, Statement, atomic

SECRET_PREFIX = "whsec_"  # noqa: S105 - of Standard Webhooks; 32 random bytes in base64 follow
EDITABLE = ("url", "events", "is_active", "failing_since")

_own = (WEBHOOKS.c.id == ROW_KEY, Webhook.user_id == bindparam("owner"))
_get = Statement[Webhook](select(*WEBHOOKS.c).where(*_own))
OF_HOLDER = HolderRecord(
    list(WEBHOOKS.c),
    and_(WEBHOOKS.c.id == bindparam("webhook_id"), Webhook.user_id == User.id),
)
_lock = Statement[Webhook](select(*WEBHOOKS.c).where(*_own).with_for_update())
_count = Statement[Any](
    select(func.count().label("number")).select_from(Webhook).where(Webhook.user_id == ROW_KEY)
)
_insert = Statement[Webhook](insert(WEBHOOKS).returning(*WEBHOOKS.c))
_update = Statement[Webhook](
    update_(Webhook)
    .where(WEBHOOKS.c.id == ROW_KEY)
    .values({name: bindparam(f"new_{name}", type_=WEBHOOKS.c[name].type) for name in EDITABLE})
    .values(version=WEBHOOKS.c.version + 1, updated_at=bindparam("moment", type_=UTCDateTime()))
    .returning(*WEBHOOKS.c)
)
_delete = Statement[Webhook](delete_(Webhook).where(WEBHOOKS.c.id == ROW_KEY))
_delete_older = Statement[Webhook](
    delete_(Webhook)
    .where(
        Webhook.user_id == ROW_KEY,
        Webhook.created_at <= bindparam("before", type_=UTCDateTime()),
        Webhook.updated_at >= bindparam("since", type_=UTCDateTime()),
    )
    .returning(WEBHOOKS.c.id, WEBHOOKS.c.url)
)


def page(actor: Actor, request: PageRequest = FIRST_PAGE) -> Page[Webhook]:
    """Return the actor's webhooks, the newest first."""
    of_actor = [Webhook.user_id == actor.id]
    return paging.read(Webhook, of_actor, request)


def page_of_all(
    actor: Actor,
    request: PageRequest = FIRST_PAGE,
    *,
    owner_id: str | None = None,
    is_active: bool | None = None,
) -> Page[Webhook]:
    """Return all users' webhooks for an admin, the newest first, filtered by owner and state."""
    actor.require_admin()
    conditions: list[ColumnElement[bool]] = []
    if owner_id is not None:
        conditions.append(Webhook.user_id == owner_id)
    if is_active is not None:
        conditions.append(Webhook.is_active.is_(is_active))
    return paging.read(Webhook, conditions, request)


def get(actor: Actor, webhook_id: str) -> Webhook:
    """Return one of the actor's webhooks. Raises NotFound."""
    return require_found(_get.one(key=webhook_id, owner=actor.id), "webhook")


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
    moment = now()
    webhook = _insert.one(
        id=uuid7(),
        user_id=actor.id,
        url=url,
        secret=encryption.seal(secret),
        events=events,
        is_active=is_active,
        failing_since=None,
        created_at=moment,
        updated_at=moment,
        version=1,
    )
    assert webhook is not None
    changes: audit.Changes = {"url": [None, url], "events": [None, events]}
    audit.record(actor, "webhook.created", webhook.id, changes)
    mails.notify_owner(actor, actor.id, "webhook_created", details=[url])
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
    webhook = lock(actor, webhook_id)
    check(expect, webhook.version)
    news = {name: value for name, value in changes.items() if value != getattr(webhook, name)}
    if not news:
        return webhook
    values: dict[str, Any] = {name: getattr(webhook, name) for name in EDITABLE}
    values.update(news, failing_since=None)  # a change by the owner resets the failures
    new_values = {f"new_{name}": value for name, value in values.items()}
    changed = require_found(_update.one(key=webhook.id, moment=now(), **new_values), "webhook")
    trail = {name: [getattr(webhook, name), value] for name, value in news.items()}
    audit.record(actor, "webhook.updated", webhook.id, trail)
    if "url" in news:
        details = [f"Before: {webhook.url}", f"Now: {changed.url}"]
        mails.notify_owner(actor, actor.id, "webhook_changed", details=details)
    return changed


@atomic
def delete(actor: Actor, webhook_id: str, expect: Expect = None) -> None:
    """Delete a webhook and its deliveries. Raises NotFound, PreconditionFailed."""
    webhook = lock(actor, webhook_id)
    check(expect, webhook.version)
    _delete.run(key=webhook.id)
    audit.record(actor, "webhook.deleted", webhook.id, {"url": [webhook.url, None]})


def lock(actor: Actor, webhook_id: str) -> Webhook:
    """Lock one of the actor's webhooks until the commit, and return it. Raises NotFound."""
    return require_found(_lock.one(key=webhook_id, owner=actor.id), "webhook")


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
