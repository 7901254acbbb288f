"""Challenges answered by a passkey, kept until they expire."""

from datetime import datetime, timedelta

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, table_of
from app.models.resource import Purge, Resource
from app.models.types import Id, UTCDateTime, now, uuid7

CHALLENGE_LIFE = timedelta(hours=1)  # after the issue


class SpentChallenge(Base):
    __tablename__ = "spent_challenges"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=uuid7)
    hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)


SPENT_CHALLENGES = table_of(SpentChallenge)

RESOURCE = Resource(
    name="spent_challenge",
    model=SpentChallenge,
    admin=None,
    events=None,
    purge=Purge("used challenges of passkeys", SpentChallenge.expires_at),
    export="A row names nobody.",
)
