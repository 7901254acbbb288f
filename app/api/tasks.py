"""Tasks: list, create, get, replace, update, delete and restore."""

from typing import Any, ClassVar

from flask import Blueprint
from marshmallow import Schema, fields

from app.api.http.declaration import ListQuery
from app.api.http.operation import operation
from app.api.http.request_parsing import JSON, MERGE_PATCH
from app.api.openapi.examples import ID, MOMENT, OTHER_ID
from app.errors import Forbidden, NotFound, PreconditionFailed
from app.models import Task
from app.models.task import PRIORITIES, STATUSES
from app.schemas.coded_fields import Length, List, not_blank
from app.schemas.dumping import compile_dump
from app.schemas.fields import (
    Flag,
    Identifier,
    IdentifierOrNone,
    Line,
    Moment,
    Text,
    choice,
)
from app.schemas.tasks import TaskIn
from app.services.shared.actor import Actor
from app.services.shared.paging import Q_MAX, Page, PageRequest
from app.services.shared.preconditions import Expect
from app.services.tasks import tasks
from app.services.tasks.filters import IDS_MAX, NONE
from app.services.tasks.page_queries import SORTS

bp = Blueprint("tasks", __name__, url_prefix="/tasks")
READ, WRITE = ("tasks:read",), ("tasks:write",)


class TaskOut(Schema):
    id = Identifier(required=True)
    title = Text(required=True)
    description = Text(required=True)
    status = choice(STATUSES, required=True)
    priority = choice(PRIORITIES, required=True)
    due_at = Moment(required=True, allow_none=True)
    labels = fields.List(fields.String(), required=True)
    owner_id = Identifier(required=True)
    assignee_id = Identifier(required=True, allow_none=True)
    completed_at = Moment(required=True, allow_none=True)
    created_at = Moment(required=True)
    updated_at = Moment(required=True)
    version = fields.Integer(
        required=True, metadata={"description": "The number in the task's ETag."}
    )
    example: ClassVar[dict[str, Any]] = {
        "id": ID,
        "description": "All of them.",
        "status": "todo",
        **TaskIn.example,
        "owner_id": OTHER_ID,
        "assignee_id": None,
        "completed_at": None,
        "created_at": MOMENT,
        "updated_at": MOMENT,
        "version": 1,
    }


compile_task = compile_dump(TaskOut())


class TaskFilters(Schema):
    status = List(choice(STATUSES), metadata={"description": "Any of these values."})
    priority = List(choice(PRIORITIES), metadata={"description": "Any of these values."})
    label = List(
        Line(validate=not_blank), metadata={"description": "Any of these labels, in any case."}
    )
    owner_id = Identifier(metadata={"description": "The owner."})
    assignee_id = IdentifierOrNone(
        metadata={"description": "The assignee; `none` for tasks without an assignee."}
    )
    id = List(
        Identifier(), validate=Length(max=IDS_MAX), metadata={"description": "Any of these values."}
    )
    due_at = choice((NONE,), metadata={"description": "Tasks without a due date."})
    due_before = Moment(metadata={"description": "Due before this time."})
    due_after = Moment(metadata={"description": "Due at or after this time."})
    created_after = Moment(metadata={"description": "Created at or after this time."})
    created_before = Moment(metadata={"description": "Created before this time."})
    updated_after = Moment(
        metadata={
            "description": "Updated at or after this time. Sorted by `updated_at`, the list ends "
            "before the oldest write that is still running: poll from the newest time received "
            "and no change is missed."
        }
    )
    updated_before = Moment(metadata={"description": "Updated before this time."})
    completed_after = Moment(metadata={"description": "Completed at or after this time."})
    completed_before = Moment(metadata={"description": "Completed before this time."})
    overdue = Flag(metadata={"description": "Past `due_at` and neither done nor cancelled."})
    trashed = Flag(metadata={"description": "Only tasks in the trash."})
    q = Text(
        validate=Length(max=Q_MAX),
        metadata={
            "description": "Full-text search: title or description must contain all words. A "
            "word matches the beginning of a word or its English stem, ignoring case, accents "
            "and the kind of apostrophe. Words also begin where letters, digits and punctuation "
            "meet: `1234` finds `INC-1234`. In scripts without spaces any substring matches. "
            "A query without a letter or digit finds nothing."
        },
    )
    sort = choice(
        tuple(SORTS) + tuple(f"-{name}" for name in SORTS),
        load_default="-created_at",
        metadata={
            "description": "`-` reverses the order. Tasks without a value are last. Order of "
            "statuses: todo, in_progress, done, cancelled."
        },
    )


class TaskQuery(ListQuery, TaskFilters):
    """Filters and paging of the task list."""


@bp.get("")
@operation(id="listTasks", summary="List tasks", scopes=READ, query=TaskQuery(), returns=TaskOut())
def index(actor: Actor, query: dict[str, Any], paging: PageRequest) -> Page[Task]:
    """Lists the tasks that the caller owns or is assigned to; for an admin, all tasks."""
    filters = {name: value for name, value in query.items() if name != "sort"}
    everyone = actor.is_admin
    return tasks.page(actor, paging, filters=filters, sort=query["sort"], everyone=everyone)


@bp.post("")
@operation(
    id="createTask",
    summary="Create a task",
    scopes=WRITE,
    body=TaskIn(),
    returns=TaskOut(),
    status=201,
    location="/api/v1/tasks/{0.id}",
    etag=True,
    idempotent=True,
)
def create(actor: Actor, body: dict[str, Any]) -> Task:
    return tasks.create(actor, body)


@bp.get("/<id:task_id>")
@operation(
    id="getTask",
    summary="Get a task",
    scopes=READ,
    returns=TaskOut(),
    etag=True,
    reads=tasks.OF_HOLDER,
    errors=(NotFound,),
)
def show(actor: Actor, task_id: str, record: Task | None) -> Task:
    return record or tasks.get(actor, task_id)


@bp.put("/<id:task_id>")
@operation(
    id="replaceTask",
    summary="Replace a task",
    scopes=WRITE,
    body=TaskIn(),
    returns=TaskOut(),
    reads=tasks.OF_HOLDER,
    if_match=True,
    errors=(Forbidden, NotFound, PreconditionFailed),
)
def replace(
    actor: Actor, task_id: str, body: dict[str, Any], expect: Expect, record: Task | None
) -> Task:
    """Fields that the body omits are reset to their defaults."""
    return tasks.replace(actor, task_id, body, expect, read=record)


@bp.patch("/<id:task_id>")
@operation(
    id="updateTask",
    summary="Update a task",
    scopes=WRITE,
    body=TaskIn(partial=True),
    body_types=(JSON, MERGE_PATCH),
    returns=TaskOut(),
    etag=True,
    reads=tasks.OF_HOLDER,
    if_match=True,
    errors=(Forbidden, NotFound, PreconditionFailed),
)
def update(
    actor: Actor, task_id: str, body: dict[str, Any], expect: Expect, record: Task | None
) -> Task:
    """Fields that the body omits stay unchanged; null clears a field (RFC 7396)."""
    return tasks.update(actor, task_id, body, expect, read=record)


@bp.delete("/<id:task_id>")
@operation(
    id="deleteTask",
    summary="Delete a task",
    scopes=WRITE,
    status=204,
    if_match=True,
    errors=(Forbidden, NotFound, PreconditionFailed),
)
def delete(actor: Actor, task_id: str, expect: Expect) -> None:
    """Moves the task to the trash, from which it can be restored for 30 days."""
    tasks.delete(actor, task_id, expect)


@bp.post("/<id:task_id>/restore")
@operation(
    id="restoreTask",
    summary="Restore a task",
    scopes=WRITE,
    returns=TaskOut(),
    etag=True,
    errors=(NotFound,),
)
def restore(actor: Actor, task_id: str) -> Task:
    return tasks.restore(actor, task_id)
