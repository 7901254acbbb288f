"""The table of todos."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, table_of
from app.models.types import Id, PlainText, UTCDateTime, now, uuid7

TITLE_MAX = 200
POSITION_MAX = 1_000_000_000
TODOS_MAX = 500  # of one list: its array has no pages


class Todo(Base):
    """A todo. Those without an owner are the list that all strangers share."""

    __tablename__ = "todos"
    __table_args__ = (CheckConstraint(f"length(title) BETWEEN 1 AND {TITLE_MAX}", "title"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=uuid7)
    owner_id: Mapped[str | None] = mapped_column(Id, ForeignKey("users.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(PlainText)
    completed: Mapped[bool] = mapped_column(default=False)
    position: Mapped[int | None]  # "order" outside, a reserved word of SQL
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)


TODOS = table_of(Todo)

Index("ix_todos_owner", Todo.owner_id, Todo.created_at)
