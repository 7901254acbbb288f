"""Changes of an email address that the reader of the old one may undo by a mailed link."""

from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, table_of
from app.models.resource import Purge, Resource
from app.models.types import Id, UTCDateTime, now, uuid7
from app.models.user import EMAIL_MAX

UNDO_LIFE = timedelta(days=7)


class EmailChange(Base):
    __tablename__ = "email_changes"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=uuid7)
    user_id: Mapped[str] = mapped_column(Id, ForeignKey("users.id", ondelete="CASCADE"), index=True)
    email: Mapped[str] = mapped_column(String(EMAIL_MAX))  # the old one
    hash: Mapped[str] = mapped_column(String(64), unique=True)  # of the secret of the link
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)  # of the change
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)


EMAIL_CHANGES = table_of(EmailChange)

RESOURCE = Resource(
    name="email_change",
    model=EmailChange,
    person=(EmailChange.user_id,),
    admin=None,
    events=None,
    purge=Purge("changes of an address", EmailChange.expires_at),
    export="The audit events hold each change of the address.",
)
