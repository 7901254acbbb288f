"""Tokens of every kind in one table, stored as hashes.

A sign-in creates an access and a refresh token, which share a `family_id` with all tokens refreshed
from them. A user creates a personal token, which is a family of its own.
"""

from datetime import datetime, timedelta

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, table_of
from app.models.resource import Purge, Resource
from app.models.types import Id, UTCDateTime, now, uuid7

KINDS = ("access", "refresh", "personal", "reset")  # "reset": of a release before links had a table
ACCESS_LIFE, REFRESH_LIFE = timedelta(hours=1), timedelta(days=30)
FAMILY_LIFE = timedelta(days=90)  # after signing in (ASVS 5.0, 7.3.2 and 10.4.8)
REFRESH_GRACE = timedelta(seconds=10)  # for parallel tabs and lost responses
NAME_MAX = 100
DAYS = 90  # the default life of a personal token
DAYS_MAX = 3650  # the longest life of a personal token that settings can allow, in days
WARNED_BEFORE = timedelta(days=7)  # before the expiry of a personal token


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
    parent_id: Mapped[str | None] = mapped_column(Id, index=True)  # the refreshed token
    hash: Mapped[str] = mapped_column(String(64), unique=True)
    prefix: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(NAME_MAX), default="")
    # Separated by spaces (RFC 6749, 3.3). No length limit: each resource adds scopes.
    scopes: Mapped[str] = mapped_column(String, default="")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    signed_in_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    spent_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UTCDateTime, index=True)


TOKENS = table_of(Token)

RESOURCE = Resource(
    name="token",
    model=Token,
    person=(Token.user_id,),
    admin="admin.tokens.index",
    events=None,
    actions=("token.created", "token.revoked"),
    words=("name",),
    personal=True,
    purge=Purge("tokens", Token.expires_at),
    export=True,
)
