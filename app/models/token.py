"""Tokens of every kind, in one table, as hashes.

An access and a refresh token come from signing in and share a `family_id` with all that are
refreshed from them; a personal one is made by hand and is a family of its own.
"""

from datetime import datetime, timedelta

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, table_of
from app.models.types import Id, UTCDateTime, now, uuid7

KINDS = ("access", "refresh", "personal", "reset")  # the last one until links had their own table
# In the order in which they are shown. "admin" can be held by an admin's token only.
SCOPES = ("tasks:read", "tasks:write", "profile:read", "profile:write", "admin")
ACCESS_LIFE, REFRESH_LIFE = timedelta(hours=1), timedelta(days=30)
FAMILY_LIFE = timedelta(days=90)  # after signing in (ASVS 5.0, 7.3.2 and 10.4.8)
REFRESH_GRACE = timedelta(seconds=10)  # parallel tabs and lost answers are no theft
NAME_MAX = 100
DAYS = 90  # the life of a personal one for which no end is named
DAYS_MAX = 3650  # the longest life of a personal one that any setting allows, in days
WARNED_BEFORE = timedelta(days=7)  # the end of a personal one


PERSONAL = text("kind = 'personal'")


class Token(Base):
    __tablename__ = "tokens"
    __table_args__ = (
        CheckConstraint(f"kind IN {KINDS}", "kind"),
        Index(
            "ix_tokens_personal_created_at",
            "created_at",
            "id",
            postgresql_where=PERSONAL,
            sqlite_where=PERSONAL,
        ),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=uuid7)
    user_id: Mapped[str] = mapped_column(Id, ForeignKey("users.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    family_id: Mapped[str] = mapped_column(Id, index=True)
    parent_id: Mapped[str | None] = mapped_column(Id, index=True)  # the one that was refreshed
    hash: Mapped[str] = mapped_column(String(64), unique=True)
    prefix: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(NAME_MAX), default="")
    # Separated by spaces (RFC 6749, 3.3). Without a limit: each resource adds to them.
    scopes: Mapped[str] = mapped_column(String, default="")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    signed_in_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    spent_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UTCDateTime, index=True)


TOKENS = table_of(Token)
