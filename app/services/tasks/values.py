"""A task as it is stored: what is set by a client, and what follows from it."""

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
FIELDS = ("title", *DEFAULTS)  # what a client may set
WORDED = {"title", "description"}  # what the search index holds
KEPT = ("completed_at", "updated_at", "version")  # what changes along with them
_row = row_type(COLUMNS)


def new(actor: Actor, values: dict[str, Any]) -> dict[str, Any]:
    """A new task as it is stored. `values` may hold `created_at` and `completed_at` of the past."""
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
    """A row that was stored, as it is read."""
    task: Task = _row(*[row[name] for name in _row._fields])
    return task


def changes_of_new(values: dict[str, Any]) -> audit.Changes:
    """What the trail is told of it: what is not the default."""
    return {name: [None, value] for name, value in values.items() if value != DEFAULTS.get(name)}


def changed(
    task: Task, news: dict[str, Any], deleted_at: datetime | None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """`task` with `news`: what is shown of it, and what is not; search words where they differ."""
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
