"""Page sessions of browsers: the cookie holds a random secret, the row its hash."""

from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, table_of
from app.models.resource import Purge, Resource
from app.models.types import Id, UTCDateTime, now, uuid7

# Idle timeout and absolute lifetime after the sign-in (ASVS 5.0, 7.3.1 and 7.3.2); both are longer
# with "remember me".
IDLE, ABSOLUTE = timedelta(hours=12), timedelta(hours=24)
REMEMBERED_IDLE, REMEMBERED_ABSOLUTE = timedelta(days=14), timedelta(days=30)
USER_AGENT_MAX = 255


class Session(Base):
    __tablename__ = "sessions"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=uuid7)
    user_id: Mapped[str] = mapped_column(Id, ForeignKey("users.id", ondelete="CASCADE"), index=True)
    hash: Mapped[str] = mapped_column(String(64), unique=True)
    remembered: Mapped[bool]
    address: Mapped[str] = mapped_column(String(45))
    user_agent: Mapped[str] = mapped_column(String(USER_AGENT_MAX))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    proved_at: Mapped[datetime | None] = mapped_column(UTCDateTime)  # identity, again
    last_seen_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)


SESSIONS = table_of(Session)

RESOURCE = Resource(
    name="session",
    model=Session,
    person=(Session.user_id,),
    admin=None,
    events=None,
    actions=(
        "session.created",
        "session.ended",
        "session.others_ended",
        "session.proved",
        "session.refused",
        "token.reused",
    ),
    target="user",
    purge=Purge("sessions", Session.expires_at),
    export=True,
)
