"""Specimens: the table and its resource."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, MetaData, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models import User
from app.models.base import Base, table_of
from app.models.resource import Resource
from app.models.types import SEALED, Id, PlainText, Ranked, TextList, UTCDateTime, now, uuid7

NAME_MAX = 120
STATES = ("new", "examined", "sold")
RANKS = ("low", "normal", "high")


class Separate(Base):
    """The base of tables that no migration makes."""

    __abstract__ = True
    metadata = MetaData(naming_convention=Base.metadata.naming_convention)


class Specimen(Separate):
    __tablename__ = "specimens"
    __table_args__ = (
        CheckConstraint(f"length(name) BETWEEN 1 AND {NAME_MAX}", "name"),
        CheckConstraint(f"state IN {STATES}", "state"),
        CheckConstraint("version >= 1", "version"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=uuid7)
    owner_id: Mapped[str] = mapped_column(Id, ForeignKey(table_of(User).c.id, ondelete="CASCADE"))
    reviewer_id: Mapped[str | None] = mapped_column(
        Id, ForeignKey(table_of(User).c.id, ondelete="SET NULL")
    )
    name: Mapped[str] = mapped_column(PlainText)
    notes: Mapped[str] = mapped_column(PlainText, default="")
    archived: Mapped[bool] = mapped_column(default=False)
    pieces: Mapped[int] = mapped_column(default=1)
    due_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    sold_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    state: Mapped[str] = mapped_column(String(16), default="new")
    rank: Mapped[str] = mapped_column(Ranked(RANKS), default="normal")
    words: Mapped[list[str]] = mapped_column(TextList, default=list)
    seal: Mapped[str | None] = mapped_column(String(255), info=SEALED)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    version: Mapped[int] = mapped_column(default=1)
    deleted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


SPECIMENS = table_of(Specimen)
Index("ux_specimens_owner_id_name", Specimen.owner_id, Specimen.name, unique=True)

RESOURCE = Resource(
    name="specimen",
    model=Specimen,
    title=Specimen.name,
    person=(Specimen.owner_id, Specimen.reviewer_id),
    live=Specimen.deleted_at.is_(None),
    admin=None,
    events={
        "specimen.created": "a specimen is created",
        "specimen.updated": "a specimen is changed",
    },
    actions=("specimen.created", "specimen.updated", "specimen.deleted", "specimen.restored"),
    words=("name", "notes"),
    export="Only the tests have it.",
)
