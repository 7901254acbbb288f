"""Comments on tasks."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, table_of
from app.models.resource import Resource
from app.models.types import Id, PlainText, UTCDateTime, now, uuid7

BODY_MAX = 10_000


class Comment(Base):
    __tablename__ = "comments"
    __table_args__ = (
        CheckConstraint(f"length(body) BETWEEN 1 AND {BODY_MAX}", "body"),
        CheckConstraint("version >= 1", "version"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=uuid7)
    task_id: Mapped[str] = mapped_column(Id, ForeignKey("tasks.id", ondelete="CASCADE"))
    # A comment outlives the account of its author, because others may have answered it.
    author_id: Mapped[str | None] = mapped_column(
        Id, ForeignKey("users.id", ondelete="SET NULL"), index=True
    )
    body: Mapped[str] = mapped_column(PlainText)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    version: Mapped[int] = mapped_column(default=1)


COMMENTS = table_of(Comment)

RESOURCE = Resource(
    name="comment",
    model=Comment,
    person=(Comment.author_id,),
    parent=Comment.task_id,
    admin=None,
    events={
        "comment.created": "a comment is created",
        "comment.updated": "a comment is changed",
        "comment.deleted": "a comment is deleted",
    },
    actions=("comment.created", "comment.updated", "comment.deleted"),
    target="task",
    fresh=("body",),
    export=True,
)

Index("ix_comments_task_created_at", Comment.task_id, Comment.created_at, Comment.id)
