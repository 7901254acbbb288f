"""Accounts at OpenID providers that sign in to local accounts."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, table_of
from app.models.resource import Resource
from app.models.types import Id, UTCDateTime, now, uuid7
from app.models.user import EMAIL_MAX

SUBJECT_MAX = 255  # OpenID Connect Core 1.0, section 2


class LinkedAccount(Base):
    __tablename__ = "identities"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=uuid7)
    user_id: Mapped[str] = mapped_column(Id, ForeignKey("users.id", ondelete="CASCADE"), index=True)
    issuer: Mapped[str] = mapped_column(String(255))
    subject: Mapped[str] = mapped_column(String(SUBJECT_MAX))
    email: Mapped[str] = mapped_column(String(EMAIL_MAX))  # as of the last sign-in
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    last_used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


LINKED_ACCOUNTS = table_of(LinkedAccount)

RESOURCE = Resource(
    name="identity",
    model=LinkedAccount,
    person=(LinkedAccount.user_id,),
    admin=None,
    events=None,
    actions=("identity.linked", "identity.unlinked"),
    target="user",
    words=("issuer", "subject"),
    export=True,
)

Index("uq_identities_subject", LinkedAccount.issuer, LinkedAccount.subject, unique=True)
