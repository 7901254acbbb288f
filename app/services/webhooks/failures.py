"""Failures of webhooks, and switching webhooks off."""

from sqlalchemy import (
    bindparam,
    func,
    select,
    update as update_,
)

from app.models import WEBHOOKS, Webhook
from app.models.types import UTCDateTime, now
from app.models.webhook import GIVEN_UP_AFTER
from app.services.outbox import mails
from app.services.shared import audit
from app.services.shared.actor import SYSTEM, Actor
from app.services.shared.existence import require_found
from app.services.users import users
from app.sql import ROW_KEY, Statement, atomic

_any = Statement[Webhook](select(WEBHOOKS.c.id).where(WEBHOOKS.c.id == ROW_KEY))
_failing = Statement[Webhook](
    update_(Webhook)
    .where(WEBHOOKS.c.id == ROW_KEY)
    .values(
        failing_since=func.coalesce(Webhook.failing_since, bindparam("moment", type_=UTCDateTime()))
    )
    .returning(*WEBHOOKS.c)
)
_recovered = Statement[Webhook](
    update_(Webhook)
    .where(WEBHOOKS.c.id == ROW_KEY, Webhook.failing_since.is_not(None))
    .values(failing_since=None)
)
_switch_off = Statement[Webhook](
    update_(Webhook)
    .where(WEBHOOKS.c.id == ROW_KEY, Webhook.is_active)
    .values(is_active=False, version=WEBHOOKS.c.version + 1)
    .returning(WEBHOOKS.c.user_id)
)


@atomic
def switch_off(actor: Actor, webhook_id: str) -> None:
    """Switch off the webhook of any user, as an admin. Raises NotFound, Forbidden."""
    actor.require_admin()
    require_found(_any.one(key=webhook_id), "webhook")
    _deactivate(actor, webhook_id)


@atomic
def failed(webhook_id: str, *, gone: bool) -> None:
    """Record a failure. Switch the webhook off if it is `gone` or has failed for GIVEN_UP_AFTER."""
    webhook = _failing.one(key=webhook_id, moment=now())
    if webhook is None or webhook.failing_since is None:
        return
    if gone or now() - webhook.failing_since > GIVEN_UP_AFTER:
        _deactivate(SYSTEM, webhook_id)


def succeeded(webhook: Webhook) -> None:
    """Record a success, which ends a series of failures."""
    if webhook.failing_since is not None:
        _recovered.run(key=webhook.id)


def _deactivate(actor: Actor, webhook_id: str) -> None:
    webhook = _switch_off.one(key=webhook_id)
    if webhook is None:
        return
    audit.record(actor, "webhook.switched_off", webhook_id, {"is_active": [True, False]})
    mails.notify(actor, users.get(SYSTEM, webhook.user_id), "webhook_switched_off")
