"""One-time links sent by mail: the row holds the hash of the secret.

A change of the password or the email of the account voids its links.
"""

from datetime import datetime, timedelta

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, table_of
from app.models.resource import Purge, Resource
from app.models.types import Id, UTCDateTime, now, uuid7
from app.models.user import EMAIL_MAX

# By purpose: set a new password; accept an invitation; prove the current or a new address.
LIFE = {
    "reset": timedelta(days=1),
    "invite": timedelta(days=3),
    "confirm": timedelta(days=1),
}
KEPT = {"reset": 3}  # the number of newest links that work at a time; 1 for other purposes


class OneTimeLink(Base):
    __tablename__ = "links"
    __table_args__ = (CheckConstraint(f"purpose IN {tuple(LIFE)}", "purpose"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=uuid7)
    user_id: Mapped[str] = mapped_column(Id, ForeignKey("users.id", ondelete="CASCADE"))
    purpose: Mapped[str] = mapped_column(String(16))
    email: Mapped[str] = mapped_column(String(EMAIL_MAX))  # the recipient
    hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)


ONE_TIME_LINKS = table_of(OneTimeLink)

RESOURCE = Resource(
    name="link",
    model=OneTimeLink,
    person=(OneTimeLink.user_id,),
    admin=None,
    events=None,
    purge=Purge("links", OneTimeLink.expires_at),
    export=True,
)

Index("ix_links_user", OneTimeLink.user_id, OneTimeLink.purpose)
