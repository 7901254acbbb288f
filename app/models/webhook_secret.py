"""Earlier secrets of webhooks: each signs beside the current one until it expires."""

from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, table_of
from app.models.resource import Purge, Resource
from app.models.types import SEALED, Id, UTCDateTime, now, uuid7

EARLIER_LIFE = timedelta(hours=24)  # the time for a receiver to replace its copy
EARLIER_MAX = 5  # of one webhook: each adds a signature to every request


class WebhookSecret(Base):
    __tablename__ = "webhook_secrets"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=uuid7)
    webhook_id: Mapped[str] = mapped_column(
        Id, ForeignKey("webhooks.id", ondelete="CASCADE"), index=True
    )
    secret: Mapped[str] = mapped_column(String(255), info=SEALED)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)  # the replacement
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)


WEBHOOK_SECRETS = table_of(WebhookSecret)

RESOURCE = Resource(
    name="webhook_secret",
    model=WebhookSecret,
    parent=WebhookSecret.webhook_id,
    admin=None,
    events=None,
    purge=Purge("earlier secrets of webhooks", WebhookSecret.expires_at),
    export="A row is a secret.",
)
