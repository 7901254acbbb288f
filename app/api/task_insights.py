"""History, statistics and labels of tasks."""

from types import SimpleNamespace
from typing import Any

from flask import Blueprint
from marshmallow import Schema, fields, validate

from app.api.http.declaration import ListQuery
from app.api.http.operation import operation
from app.errors import NotFound
from app.models import AuditEvent, Task
from app.models.task import PRIORITIES, STATUSES
from app.schemas.coded_fields import Range
from app.schemas.fields import Changes, Identifier, Moment, Number, Text
from app.services.shared.actor import Actor
from app.services.shared.paging import Page, PageRequest
from app.services.tasks import (
    history as task_events,
    label_counts,
    stats as task_stats,
    tasks,
)

bp = Blueprint("task_views", __name__, url_prefix="/tasks")
READ = ("tasks:read",)
DAYS_MAX = 366


class TaskEventOut(Schema):
    id = Identifier(required=True)
    actor_id = Identifier(required=True, allow_none=True)
    action = Text(required=True)
    changes = Changes(required=True)
    created_at = Moment(required=True)


class Day(Schema):
    date = fields.Date(required=True)
    created = fields.Integer(required=True)
    completed = fields.Integer(required=True)


def _counts(name: str, words: tuple[str, ...]) -> type[Schema]:
    """Return a schema with a number of tasks for each of the words."""
    number = fields.Integer(required=True, validate=validate.Range(min=0))
    return Schema.from_dict(dict.fromkeys(words, number), name=name)


class TaskStatsOut(Schema):
    total = fields.Integer(required=True)
    by_status = fields.Nested(_counts("TasksByStatus", STATUSES), required=True)
    by_priority = fields.Nested(_counts("TasksByPriority", PRIORITIES), required=True)
    overdue = fields.Integer(required=True)
    days = fields.List(fields.Nested(Day), required=True)


class TaskStatsQuery(Schema):
    days = Number(
        load_default=30,
        validate=Range(1, DAYS_MAX, error="Use {min} to {max}."),
        metadata={"description": "Number of days (UTC), ending today."},
    )


class LabelUse(Schema):
    label = Text(required=True)
    count = fields.Integer(
        required=True, metadata={"description": "Number of tasks with this label."}
    )


class TaskLabelsOut(Schema):
    items = fields.List(fields.Nested(LabelUse), required=True)


@bp.get("/<id:task_id>/events")
@operation(
    id="listTaskEvents",
    summary="List task events",
    scopes=READ,
    query=ListQuery(),
    returns=TaskEventOut(),
    reads=tasks.OF_HOLDER,
    errors=(NotFound,),
)
def events(
    actor: Actor, task_id: str, record: Task | None, query: dict[str, Any], paging: PageRequest
) -> Page[AuditEvent]:
    """Events are ordered newest first."""
    return task_events.events(actor, task_id, paging, task=record, **query)


@bp.get("/stats")
@operation(
    id="getTaskStatistics",
    summary="Get task statistics",
    scopes=READ,
    query=TaskStatsQuery(),
    returns=TaskStatsOut(),
)
def stats(actor: Actor, query: dict[str, int]) -> SimpleNamespace:
    """Covers the tasks that the caller can see; for an admin, all tasks."""
    figures = task_stats.overview(actor, query["days"], everyone=actor.is_admin)
    return SimpleNamespace(**figures)


@bp.get("/labels")
@operation(id="listTaskLabels", summary="List task labels", scopes=READ, returns=TaskLabelsOut())
def labels(actor: Actor) -> SimpleNamespace:
    """Lists up to 1,000 labels of the tasks that the caller can see, most used first, without the
    trash. Labels that differ only in case are one entry, in the most common spelling.
    """
    rows = label_counts.used(actor, everyone=actor.is_admin)
    return SimpleNamespace(items=[{"label": row.label, "count": int(row.total)} for row in rows])
