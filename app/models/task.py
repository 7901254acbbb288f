"""Tasks, and the limits of their values.

Labels are a list in the row and not a table, so that one statement reads or writes a task with its
labels (docs/decisions.md).
"""

from datetime import datetime, timedelta

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
from app.models.resource import Purge, Resource
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
TRASH_KEPT = timedelta(days=30)
STATUSES = ("todo", "in_progress", "done", "cancelled")
PRIORITIES = ("low", "normal", "high", "urgent")
CLOSED = ("done", "cancelled")  # neither can be overdue
OPEN = tuple(status for status in STATUSES if status not in CLOSED)
# The columns of a task in the API, exports and webhooks.
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
    deleted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)  # set: in the trash
    label_keys: Mapped[list[str]] = mapped_column(TextList, default=list)  # case-folded labels
    # The words of title and description (app.services.tasks.search), and the `version` they belong
    # to. If the versions differ, an older release without search words has written the row.
    search_words: Mapped[str | None] = mapped_column(SearchWords, deferred=True)
    search_version: Mapped[int | None]


TASKS = table_of(Task)

LIVE = Task.deleted_at.is_(None)
TRASHED = Task.deleted_at.is_not(None)

RESOURCE = Resource(
    name="task",
    model=Task,
    title=Task.title,
    person=(Task.owner_id, Task.assignee_id),
    live=LIVE,
    home="main.tasks.index",
    admin="admin.tasks.index",
    scopes={
        "tasks:read": "read tasks and their comments",
        "tasks:write": "create, change and delete tasks and comments",
    },
    events={
        "task.created": "a task is created",
        "task.updated": "a task is changed",
        "task.deleted": "a task is moved to the trash",
        "task.restored": "a task is restored from the trash",
    },
    actions=("task.created", "task.updated", "task.deleted", "task.restored", "task.purged"),
    words=("title", "description", "labels"),
    purge=Purge("tasks in the trash", Task.deleted_at, TRASH_KEPT, "task.purged"),
    export=True,
    withheld=frozenset({"label_keys", "search_words", "search_version"}),
)


def _live(name: str, *columns: object) -> None:
    """Add an index over tasks outside the trash, for one order of a list in both directions."""
    Index(name, *columns, sqlite_where=LIVE, postgresql_where=LIVE)  # type: ignore[arg-type]


ASSIGNED = Task.assignee_id.is_not(None)
# The position of a status in STATUSES, with the same spelling as its index.
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
# These two include the trash: the foreign keys need them when an account is deleted.
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
# The index of an owner's trash costs a live task nothing.
Index(
    "ix_tasks_owner_trash",
    Task.owner_id,
    Task.created_at,
    Task.id,
    sqlite_where=TRASHED,
    postgresql_where=TRASHED,
)
NOT_INDEXED = Task.search_version.is_distinct_from(Task.version)
Index("ix_tasks_not_indexed", Task.id, sqlite_where=NOT_INDEXED, postgresql_where=NOT_INDEXED)
# Objects that migrations create for one database only: indexes of search words and labels, and
# the column `search` of the release before 20261130.
POSTGRES_ONLY = frozenset({"search", "ix_tasks_search_words", "ix_tasks_label_keys"})
SQLITE_ONLY = frozenset({"search_id", "uq_tasks_search_id"})
SEARCH_TABLES = "task_search"  # on SQLite: the FTS5 table, and the prefix of its shadow tables
# PostgreSQL changes the spelling of the expression, so that Alembic would always see a difference.
UNCOMPARED = frozenset({"ix_tasks_owner_status"})
