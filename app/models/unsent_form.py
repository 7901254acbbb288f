"""Forms sent after their session had ended, kept until their author signs in again."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, table_of
from app.models.resource import Purge, Resource
from app.models.types import Id, Json, UTCDateTime, now, uuid7

LIFE = timedelta(hours=24)
PER_USER_MAX = 5  # the newest stay
PATH_MAX = 2000  # characters, with the query
SIZE_MAX = 200_000  # characters of all names and values


class UnsentForm(Base):
    __tablename__ = "unsent_forms"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=uuid7)
    user_id: Mapped[str] = mapped_column(Id, ForeignKey("users.id", ondelete="CASCADE"), index=True)
    path: Mapped[str] = mapped_column(String(PATH_MAX))  # that the form was sent to
    content: Mapped[dict[str, Any]] = mapped_column(Json)  # {"fields": [[name, value], ...]}
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)


UNSENT_FORMS = table_of(UnsentForm)

RESOURCE = Resource(
    name="unsent_form",
    model=UnsentForm,
    person=(UnsentForm.user_id,),
    admin=None,
    events=None,
    purge=Purge("unsent forms", UnsentForm.expires_at),
    export=True,
)
