"""Tasks."""

from typing import Any, ClassVar

from flask import Blueprint
from marshmallow import Schema, fields

from app.api.http.operation import ListQuery, operation
from app.api.http.request_parsing import JSON, MERGE_PATCH
from app.api.openapi.examples import ID, MOMENT, OTHER_ID
from app.errors import Forbidden, NotFound, PreconditionFailed
from app.models import Task
from app.models.task import PRIORITIES, STATUSES
from app.schemas.coded_fields import Length, List, not_blank
from app.schemas.fields import (
    Flag,
    Identifier,
    IdentifierOrNone,
    Line,
    Moment,
    Text,
    choice,
    compile_dump,
)
from app.schemas.tasks import TaskIn
from app.services.shared.actor import Actor
from app.services.shared.paging import Q_MAX, Page
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
    version = fields.Integer(required=True, metadata={"description": "Its ETag, as a number."})
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
    status = List(choice(STATUSES), metadata={"description": "Any of these."})
    priority = List(choice(PRIORITIES), metadata={"description": "Any of these."})
    label = List(Line(validate=not_blank), metadata={"description": "Any of these, without case."})
    owner_id = Identifier(metadata={"description": "Whose tasks."})
    assignee_id = IdentifierOrNone(
        metadata={"description": "Who is to do them; `none`: those without an assignee."}
    )
    id = List(Identifier(), validate=Length(max=IDS_MAX), metadata={"description": "Any of these."})
    due_at = choice((NONE,), metadata={"description": "Those without a date."})
    due_before = Moment(metadata={"description": "Due before then."})
    due_after = Moment(metadata={"description": "Due then or later."})
    created_after = Moment(metadata={"description": "Made then or later."})
    created_before = Moment(metadata={"description": "Made before then."})
    updated_after = Moment(
        metadata={
            "description": "Changed then or later. Sorted by `updated_at` the list ends before the "
            "oldest write that is still running: ask again from the newest moment seen, and no "
            "change is missed."
        }
    )
    updated_before = Moment(metadata={"description": "Changed before then."})
    completed_after = Moment(metadata={"description": "Done then or later."})
    completed_before = Moment(metadata={"description": "Done before then."})
    overdue = Flag(metadata={"description": "Past `due_at`, and neither done nor cancelled."})
    trashed = Flag(metadata={"description": "What lies in the trash, and nothing else."})
    q = Text(
        validate=Length(max=Q_MAX),
        metadata={
            "description": "Words, all of which have to be in title or description. A word "
            "matches the beginning of a word or its English stem; case, accents and the form of "
            "apostrophes do not count. Words also begin where letters, digits and marks meet: "
            "`1234` finds `INC-1234`. In scripts without blanks any row of characters is found. "
            "Without a letter or digit it finds nothing."
        },
    )
    sort = choice(
        tuple(SORTS) + tuple(f"-{name}" for name in SORTS),
        load_default="-created_at",
        metadata={
            "description": "`-` reverses the order. Tasks without a value come last. Statuses: "
            "todo, in_progress, done, cancelled."
        },
    )


class TaskQuery(ListQuery, TaskFilters):
    """A page of what the filters let through."""


@bp.get("")
@operation(id="listTasks", summary="List tasks", scopes=READ, query=TaskQuery(), returns=TaskOut())
def index(actor: Actor, query: dict[str, Any], **paging: Any) -> Page[Task]:
    """Those that one owns or is assigned to; all of them for an admin."""
    filters = {name: value for name, value in query.items() if name != "sort"}
    everyone = actor.is_admin
    return tasks.page(actor, filters, sort=query["sort"], everyone=everyone, **paging)


@bp.post("")
@operation(
    id="createTask",
    summary="Make a task",
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
    summary="Read a task",
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
    if_match=True,
    errors=(Forbidden, NotFound, PreconditionFailed),
)
def replace(actor: Actor, task_id: str, body: dict[str, Any], expect: Expect) -> Task:
    """What the body leaves out goes back to its default."""
    return tasks.replace(actor, task_id, body, expect)


@bp.patch("/<id:task_id>")
@operation(
    id="updateTask",
    summary="Change a task",
    scopes=WRITE,
    body=TaskIn(partial=True),
    body_types=(JSON, MERGE_PATCH),
    returns=TaskOut(),
    etag=True,
    if_match=True,
    errors=(Forbidden, NotFound, PreconditionFailed),
)
def update(actor: Actor, task_id: str, body: dict[str, Any], expect: Expect) -> Task:
    """What the body leaves out stays; null clears (RFC 7396)."""
    return tasks.update(actor, task_id, body, expect)


@bp.delete("/<id:task_id>")
@operation(
    id="deleteTask",
    summary="Move a task to the trash",
    scopes=WRITE,
    status=204,
    if_match=True,
    errors=(Forbidden, NotFound, PreconditionFailed),
)
def delete(actor: Actor, task_id: str, expect: Expect) -> None:
    """It can be restored for 30 days."""
    tasks.delete(actor, task_id, expect)


@bp.post("/<id:task_id>/restore")
@operation(
    id="restoreTask",
    summary="Take a task out of the trash",
    scopes=WRITE,
    returns=TaskOut(),
    etag=True,
    errors=(NotFound,),
)
def restore(actor: Actor, task_id: str) -> Task:
    return tasks.restore(actor, task_id)
