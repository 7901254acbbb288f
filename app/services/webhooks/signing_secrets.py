"""The secrets that sign deliveries: the current one and recently replaced ones."""

from sqlalchemy import bindparam, insert, select, update

from app.errors import Conflict
from app.models import WEBHOOK_SECRETS, WEBHOOKS, Webhook, WebhookSecret
from app.models.types import UTCDateTime, now, uuid7
from app.models.webhook_secret import EARLIER_LIFE, EARLIER_MAX
from app.services.authentication import credentials
from app.services.outbox import mails
from app.services.shared import audit, encrypted_columns, encryption
from app.services.shared.actor import Actor
from app.services.webhooks import webhooks
from app.sql import ROW_KEY, Statement, atomic

_live = Statement[WebhookSecret](
    select(WEBHOOK_SECRETS.c.id, WEBHOOK_SECRETS.c.secret)
    .where(
        WebhookSecret.webhook_id == ROW_KEY,
        WebhookSecret.expires_at > bindparam("moment", type_=UTCDateTime()),
    )
    .order_by(WEBHOOK_SECRETS.c.id.desc())
)
_retire = Statement[WebhookSecret](insert(WEBHOOK_SECRETS))
_replace = Statement[Webhook](
    update(Webhook).where(WEBHOOKS.c.id == ROW_KEY).values(secret=bindparam("new_secret"))
)


@atomic
def rotate(actor: Actor, webhook_id: str) -> str:
    """Replace the secret and return the new one, which is shown only once.

    The old secret still signs for EARLIER_LIFE. Raises NotFound, EmailUnconfirmed, and Conflict
    while EARLIER_MAX old secrets still sign.
    """
    credentials.hold_confirmed(actor.id)
    webhook = webhooks.lock(actor, webhook_id)
    moment = now()
    if len(_live.all(key=webhook.id, moment=moment)) >= EARLIER_MAX:
        raise Conflict(
            f"The secret was replaced {EARLIER_MAX} times within 24 hours. Try again later."
        )
    _retire.run(
        id=uuid7(),
        webhook_id=webhook.id,
        secret=webhook.secret,
        created_at=moment,
        expires_at=moment + EARLIER_LIFE,
    )
    secret = webhooks.new_secret()
    _replace.run(key=webhook.id, new_secret=encryption.seal(secret))
    audit.record(actor, "webhook.secret_rotated", webhook.id)
    mails.notify_owner(actor, actor.id, "webhook_secret_rotated", details=[webhook.url])
    return secret


def signing(webhook: Webhook) -> list[str]:
    """Return the secrets that sign now, the newest first. Raises Sealed."""
    present = encrypted_columns.read(WEBHOOKS.c.secret, webhook.id, webhook.secret)
    earlier = _live.all(key=webhook.id, moment=now())
    return [
        present,
        *(encrypted_columns.read(WEBHOOK_SECRETS.c.secret, row.id, row.secret) for row in earlier),
    ]
