"""The audit trail: action, actor and target. Append-only: triggers reject updates and deletes.

The table has no foreign keys: an event outlives the users and objects that it names.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, table_of
from app.models.resource import Resource
from app.models.types import Id, Json, UTCDateTime, now, uuid7

OF_CREDENTIALS = text("target_type IN ('token', 'webhook')")


class AuditEvent(Base):
    __tablename__ = "audit_events"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=uuid7)
    actor_id: Mapped[str | None] = mapped_column(Id)
    token_id: Mapped[str | None] = mapped_column(Id)
    action: Mapped[str] = mapped_column(String(64))
    target_type: Mapped[str] = mapped_column(String(32))
    target_id: Mapped[str | None] = mapped_column(Id)
    changes: Mapped[dict[str, Any]] = mapped_column(Json)  # {"field": [old, new]}
    address: Mapped[str] = mapped_column(String(45))
    request_id: Mapped[str] = mapped_column(String(128))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)


AUDIT_EVENTS = table_of(AuditEvent)

RESOURCE = Resource(
    name="trail",
    model=AuditEvent,
    admin="admin.audit.index",
    events=None,
    actions=("audit.cleaned", "audit.purged"),
    export=True,
)

Index("ix_audit_events_created_at", AuditEvent.created_at, AuditEvent.id)
Index("ix_audit_events_action", AuditEvent.action, AuditEvent.created_at, AuditEvent.id)
Index("ix_audit_events_target", AuditEvent.target_id, AuditEvent.created_at, AuditEvent.id)
Index("ix_audit_events_actor", AuditEvent.actor_id, AuditEvent.created_at, AuditEvent.id)
Index(
    "ix_audit_events_credentials",
    AuditEvent.actor_id,
    AuditEvent.created_at,
    AuditEvent.id,
    postgresql_where=OF_CREDENTIALS,
    sqlite_where=OF_CREDENTIALS,
)
