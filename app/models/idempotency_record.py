"""Stored responses to requests with an Idempotency-Key, replayed word for word."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, table_of
from app.models.resource import Purge, Resource
from app.models.types import Id, Json, PlainText, UTCDateTime, now

KEY_MAX = 255
KEPT = timedelta(hours=24)


class IdempotencyRecord(Base):
    __tablename__ = "idempotency_records"

    user_id: Mapped[str] = mapped_column(
        Id, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[str] = mapped_column(String(KEY_MAX), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))  # of method, path and payload
    status: Mapped[int]
    headers: Mapped[dict[str, Any]] = mapped_column(Json)
    body: Mapped[str] = mapped_column(PlainText)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now, index=True)


IDEMPOTENCY_RECORDS = table_of(IdempotencyRecord)

RESOURCE = Resource(
    name="idempotency_record",
    model=IdempotencyRecord,
    person=(IdempotencyRecord.user_id,),
    admin=None,
    events=None,
    purge=Purge("idempotency records", IdempotencyRecord.created_at, KEPT),
    export=True,
)
