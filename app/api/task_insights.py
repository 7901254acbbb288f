"""What is worked out from tasks: their history, and figures over them."""

from types import SimpleNamespace
from typing import Any

from flask import Blueprint
from marshmallow import Schema, fields, validate

from app.api.http.operation import ListQuery, operation
from app.errors import NotFound
from app.models import AuditEvent, Task
from app.models.task import PRIORITIES, STATUSES
from app.schemas.coded_fields import Range
from app.schemas.fields import Changes, Identifier, Moment, Number, Text
from app.services.shared.actor import Actor
from app.services.shared.paging import Page
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
    """A number of tasks for each of the words."""
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
        metadata={"description": "How many days, in UTC, the last one today."},
    )


class LabelUse(Schema):
    label = Text(required=True)
    count = fields.Integer(required=True, metadata={"description": "Tasks that have it."})


class TaskLabelsOut(Schema):
    items = fields.List(fields.Nested(LabelUse), required=True)


@bp.get("/<id:task_id>/events")
@operation(
    id="listTaskEvents",
    summary="List what was done to a task",
    scopes=READ,
    query=ListQuery(),
    returns=TaskEventOut(),
    reads=tasks.OF_HOLDER,
    errors=(NotFound,),
)
def events(
    actor: Actor, task_id: str, record: Task | None, query: dict[str, Any], **paging: Any
) -> Page[AuditEvent]:
    """The newest first."""
    return task_events.events(actor, task_id, task=record, **query, **paging)


@bp.get("/stats")
@operation(
    id="getTaskStatistics",
    summary="Figures over tasks",
    scopes=READ,
    query=TaskStatsQuery(),
    returns=TaskStatsOut(),
)
def stats(actor: Actor, query: dict[str, int]) -> SimpleNamespace:
    """Over those that one sees: all of them for an admin."""
    figures = task_stats.overview(actor, query["days"], everyone=actor.is_admin)
    return SimpleNamespace(**figures)


@bp.get("/labels")
@operation(
    id="listTaskLabels", summary="List the labels in use", scopes=READ, returns=TaskLabelsOut()
)
def labels(actor: Actor) -> SimpleNamespace:
    """The labels of the tasks that you see, without the trash, the most used first, up to 1,000.
    Spellings that differ in case only are one entry, under the spelling that most tasks use.
    """
    rows = label_counts.used(actor, everyone=actor.is_admin)
    return SimpleNamespace(items=[{"label": row.label, "count": int(row.total)} for row in rows])
