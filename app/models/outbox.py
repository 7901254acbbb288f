"""The outbox: mails and webhooks to send, stored in the transaction of the change behind them.

A worker claims a row by moving `run_at` to the end of a lease. A worker that does not finish by
then has lost the row, and `fence` distinguishes it from the worker with a later claim.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, table_of
from app.models.resource import Purge, Resource
from app.models.types import Id, Json, PlainText, UTCDateTime, now, uuid7

KINDS = ("mail", "webhook")
STATUSES = ("pending", "done", "dead")
LEASE = timedelta(seconds=60)
# The delay after each failure: a day in total, then the row is dead.
DELAYS = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 60, 300, 1800, 2 * 3600, 4 * 3600, 7 * 3600, 10 * 3600)
)
ERROR_MAX = 500
KEPT = timedelta(days=30)  # after the row has ended, for admins


class OutboxEntry(Base):
    __tablename__ = "outbox"
    __table_args__ = (
        CheckConstraint(f"kind IN {KINDS}", "kind"),
        CheckConstraint(f"status IN {STATUSES}", "status"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=uuid7)
    kind: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(64))  # of the mail's template, of the event
    payload: Mapped[dict[str, Any]] = mapped_column(Json)  # never a secret
    user_id: Mapped[str | None] = mapped_column(
        Id, ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    webhook_id: Mapped[str | None] = mapped_column(
        Id, ForeignKey("webhooks.id", ondelete="CASCADE")
    )
    status: Mapped[str] = mapped_column(String(16), default="pending")
    attempts: Mapped[int] = mapped_column(default=0)
    fence: Mapped[int] = mapped_column(default=0)
    run_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    response_status: Mapped[int | None]
    error: Mapped[str] = mapped_column(PlainText, default="")  # of the last attempt
    # Of the request that caused the row; "" for a command.
    request_id: Mapped[str] = mapped_column(String(128), default="", server_default="")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime, index=True)


OUTBOX_ENTRIES = table_of(OutboxEntry)

RESOURCE = Resource(
    name="job",
    model=OutboxEntry,
    person=(OutboxEntry.user_id,),
    admin="admin.jobs.index",
    events=None,
    actions=("job.retried",),
    purge=Purge("sent mails and webhooks", OutboxEntry.finished_at, KEPT),
    export=True,
)

# Mails come before webhooks, so that many webhooks do not delay mails.
Index(
    "ix_outbox_due",
    OutboxEntry.kind,
    OutboxEntry.run_at,
    postgresql_where=OutboxEntry.status == "pending",
    sqlite_where=OutboxEntry.status == "pending",
)
Index("ix_outbox_webhook", OutboxEntry.webhook_id, OutboxEntry.created_at, OutboxEntry.id)
Index("ix_outbox_status", OutboxEntry.status, OutboxEntry.created_at, OutboxEntry.id)
