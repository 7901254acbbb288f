"""Tasks, and the limits of their values.

Labels are a list in the row and not a table of their own: they are always read and written with
their task, and one statement then does either (docs/architecture.md).
"""

from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    String,
    func,
    literal_column,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, table_of
from app.models.types import (
    Id,
    PlainText,
    Ranked,
    SearchWords,
    TextList,
    UTCDateTime,
    now,
    uuid7,
)

TITLE_MAX = 200
DESCRIPTION_MAX = 10_000
LABELS_MAX = 20
LABEL_MAX = 50
STATUSES = ("todo", "in_progress", "done", "cancelled")
PRIORITIES = ("low", "normal", "high", "urgent")
CLOSED = ("done", "cancelled")  # neither can be overdue
# The columns that the API, exports and webhooks show of a task.
SHOWN = (
    "id",
    "title",
    "description",
    "status",
    "priority",
    "due_at",
    "labels",
    "owner_id",
    "assignee_id",
    "completed_at",
    "created_at",
    "updated_at",
    "version",
)


class Task(Base):
    __tablename__ = "tasks"
    __table_args__ = (
        CheckConstraint(f"length(title) BETWEEN 1 AND {TITLE_MAX}", "title"),
        CheckConstraint(f"length(description) <= {DESCRIPTION_MAX}", "description"),
        CheckConstraint(f"status IN {STATUSES}", "status"),
        CheckConstraint(f"priority BETWEEN 0 AND {len(PRIORITIES) - 1}", "priority"),
        CheckConstraint("(status = 'done') = (completed_at IS NOT NULL)", "completed_at"),
        CheckConstraint("version >= 1", "version"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=uuid7)
    title: Mapped[str] = mapped_column(PlainText)
    description: Mapped[str] = mapped_column(PlainText, default="")
    status: Mapped[str] = mapped_column(String(16), default="todo")
    priority: Mapped[str] = mapped_column(Ranked(PRIORITIES), default="normal")
    due_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    labels: Mapped[list[str]] = mapped_column(TextList, default=list)
    owner_id: Mapped[str] = mapped_column(Id, ForeignKey("users.id", ondelete="CASCADE"))
    assignee_id: Mapped[str | None] = mapped_column(Id, ForeignKey("users.id", ondelete="SET NULL"))
    completed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    version: Mapped[int] = mapped_column(default=1)
    deleted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)  # set: it is in the trash
    label_keys: Mapped[list[str]] = mapped_column(TextList, default=list)  # labels without case
    # The words of title and description (app.services.tasks.search), and the `version` that they
    # are of. Another one: code that knows no search words has written the row since.
    search_words: Mapped[str | None] = mapped_column(SearchWords, deferred=True)
    search_version: Mapped[int | None]


TASKS = table_of(Task)

LIVE = Task.deleted_at.is_(None)
TRASHED = Task.deleted_at.is_not(None)


def _live(name: str, *columns: object) -> None:
    """An index over what is not in the trash: each serves one order of a list, both ways."""
    Index(name, *columns, sqlite_where=LIVE, postgresql_where=LIVE)  # type: ignore[arg-type]


ASSIGNED = Task.assignee_id.is_not(None)
# The place of a status among STATUSES, spelled as the index over it is.
STATUS_RANK: ColumnElement[int] = literal_column(
    "CASE status WHEN 'todo' THEN 0 WHEN 'in_progress' THEN 1 WHEN 'done' THEN 2 ELSE 3 END",
    Integer,
)

_live("ix_tasks_created_at", Task.created_at, Task.id)
_live("ix_tasks_owner_updated_at", Task.owner_id, Task.updated_at, Task.id)
_live("ix_tasks_owner_due_at", Task.owner_id, Task.due_at, Task.id)
_live("ix_tasks_owner_priority", Task.owner_id, Task.priority, Task.id)
_live("ix_tasks_owner_status", Task.owner_id, STATUS_RANK, Task.id)
_live("ix_tasks_owner_completed_at", Task.owner_id, Task.completed_at, Task.id)
_live("ix_tasks_owner_title", Task.owner_id, func.lower(Task.title), Task.id)
# These two hold the trash as well: they serve the foreign keys when an account is removed.
Index("ix_tasks_owner_created_at", Task.owner_id, Task.created_at, Task.id)
Index(
    "ix_tasks_assignee_created_at",
    Task.assignee_id,
    Task.created_at,
    Task.id,
    sqlite_where=ASSIGNED,
    postgresql_where=ASSIGNED,
)
Index("ix_tasks_trash", Task.deleted_at, Task.id, sqlite_where=TRASHED, postgresql_where=TRASHED)
NOT_INDEXED = Task.search_version.is_distinct_from(Task.version)
Index("ix_tasks_not_indexed", Task.id, sqlite_where=NOT_INDEXED, postgresql_where=NOT_INDEXED)
# What the migrations make for one database alone: its indexes of search words and labels, and
# `search`, by which the release before 20261130 searches.
POSTGRES_ONLY = frozenset({"search", "ix_tasks_search_words", "ix_tasks_label_keys"})
SQLITE_ONLY = frozenset({"search_id", "uq_tasks_search_id"})
SEARCH_TABLES = "task_search"  # on SQLite: the index (FTS5), and the tables that begin like it
# PostgreSQL spells their expressions in another way, so Alembic would find a difference for ever.
UNCOMPARED = frozenset({"ix_tasks_owner_status"})
