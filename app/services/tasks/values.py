"""The stored values of a task: those that a client sets, and those derived from them."""

from datetime import datetime
from typing import Any

from app.models import Task
from app.models.types import now, uuid7
from app.services.shared import audit
from app.services.shared.actor import Actor
from app.services.tasks import labels, search
from app.services.tasks.page_queries import COLUMNS
from app.sql import row_type

DEFAULTS: dict[str, Any] = {
    "description": "",
    "status": "todo",
    "priority": "normal",
    "due_at": None,
    "labels": [],
    "assignee_id": None,
}
FIELDS = ("title", *DEFAULTS)  # set by clients
WORDED = {"title", "description"}  # in the search index
KEPT = ("completed_at", "updated_at", "version")  # derived from a change of FIELDS
_row = row_type(COLUMNS)


def new(actor: Actor, values: dict[str, Any]) -> dict[str, Any]:
    """Return the row of a new task. `values` may hold `created_at` and `completed_at`."""
    moment, done = now(), values.get("status") == "done"
    return {
        **DEFAULTS,
        **values,
        "id": uuid7(),
        "owner_id": actor.id,
        "completed_at": values.get("completed_at", moment) if done else None,
        "created_at": values.get("created_at", moment),
        "updated_at": moment,
        "version": 1,
        "label_keys": labels.keys(values.get("labels", [])),
        "deleted_at": None,
        "search_words": search.words_of(values["title"], values.get("description", "")),
        "search_version": 1,
    }


def shown(row: dict[str, Any]) -> Task:
    """Return a stored row as the read statements return it."""
    task: Task = _row(*[row[name] for name in _row._fields])
    return task


def changes_of_new(values: dict[str, Any]) -> audit.Changes:
    """Return the changes for the audit trail: the values that differ from the default."""
    return {name: [None, value] for name, value in values.items() if value != DEFAULTS.get(name)}


def changed(
    task: Task, news: dict[str, Any], deleted_at: datetime | None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the shown and the hidden columns of `task` with `news`; search words if changed."""
    moment = now()
    shown = {name: news.get(name, getattr(task, name)) for name in FIELDS}
    shown["completed_at"] = task.completed_at
    if (shown["status"] == "done") != (task.status == "done"):
        shown["completed_at"] = moment if shown["status"] == "done" else None
    shown.update(updated_at=moment, version=task.version + 1)
    hidden: dict[str, Any] = {"label_keys": labels.keys(shown["labels"]), "deleted_at": deleted_at}
    if not WORDED.isdisjoint(news):
        hidden["search_words"] = search.words_of(shown["title"], shown["description"])
    return shown, hidden
