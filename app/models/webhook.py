"""Webhooks: URLs that receive events of the records that a user owns or is assigned to."""

from datetime import datetime, timedelta

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, table_of
from app.models.resource import Resource
from app.models.types import SEALED, Id, UTCDateTime, now, uuid7

URL_MAX = 2000
PER_USER_MAX = 20
GIVEN_UP_AFTER = timedelta(days=5)  # of failures only: the webhook is switched off


class Webhook(Base):
    __tablename__ = "webhooks"
    __table_args__ = (CheckConstraint("version >= 1", "version"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=uuid7)
    user_id: Mapped[str] = mapped_column(Id, ForeignKey("users.id", ondelete="CASCADE"), index=True)
    url: Mapped[str] = mapped_column(String(URL_MAX))
    secret: Mapped[str] = mapped_column(String(255), info=SEALED)  # signing needs it
    events: Mapped[str] = mapped_column(String)  # separated by spaces, without a limit
    is_active: Mapped[bool] = mapped_column(default=True)
    failing_since: Mapped[datetime | None] = mapped_column(UTCDateTime)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    version: Mapped[int] = mapped_column(default=1)


WEBHOOKS = table_of(Webhook)

RESOURCE = Resource(
    name="webhook",
    model=Webhook,
    person=(Webhook.user_id,),
    admin="admin.webhooks.index",
    events=None,
    actions=(
        "webhook.created",
        "webhook.deleted",
        "webhook.redelivered",
        "webhook.secret_rotated",
        "webhook.switched_off",
        "webhook.updated",
    ),
    words=("url",),
    personal=True,
    export=True,
)
