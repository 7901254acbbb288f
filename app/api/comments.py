"""Comments on a task."""

from typing import Any, ClassVar

from flask import Blueprint
from marshmallow import Schema

from app.api.http.declaration import ListQuery
from app.api.http.operation import operation
from app.api.http.request_parsing import JSON, MERGE_PATCH
from app.errors import Forbidden, NotFound, PreconditionFailed
from app.models import Comment, Task
from app.models.comment import BODY_MAX
from app.schemas.coded_fields import Length
from app.schemas.fields import Identifier, LongText, Moment, Strict, Text
from app.schemas.names import outside_names
from app.services.shared.actor import Actor
from app.services.shared.paging import Page, PageRequest
from app.services.shared.preconditions import Expect
from app.services.tasks import comments, tasks

bp = Blueprint("comments", __name__, url_prefix="/tasks/<id:task_id>/comments")
READ, WRITE = ("tasks:read",), ("tasks:write",)


class CommentOut(Schema):
    id = Identifier(required=True)
    task_id = Identifier(required=True)
    author_id = Identifier(required=True, allow_none=True)
    body = Text(required=True)
    created_at = Moment(required=True)
    updated_at = Moment(required=True)


class CommentIn(Strict):
    body = LongText(required=True, validate=Length(min=1, max=BODY_MAX))
    resource_fields = outside_names(CommentOut())
    example: ClassVar[dict[str, Any]] = {"body": "The numbers of May are missing."}


@bp.get("")
@operation(
    id="listTaskComments",
    summary="List task comments",
    scopes=READ,
    query=ListQuery(),
    returns=CommentOut(),
    reads=tasks.OF_HOLDER,
    errors=(NotFound,),
)
def index(
    actor: Actor, task_id: str, record: Task | None, query: dict[str, Any], paging: PageRequest
) -> Page[Comment]:
    """Comments are ordered oldest first."""
    return comments.page(actor, task_id, paging, task=record, **query)


@bp.post("")
@operation(
    id="createTaskComment",
    summary="Create a task comment",
    scopes=WRITE,
    body=CommentIn(),
    returns=CommentOut(),
    status=201,
    location="/api/v1/tasks/{0.task_id}/comments/{0.id}",
    etag=True,
    idempotent=True,
    errors=(NotFound,),
)
def create(actor: Actor, task_id: str, body: dict[str, str]) -> Comment:
    return comments.create(actor, task_id, body["body"])


@bp.get("/<id:comment_id>")
@operation(
    id="getTaskComment",
    summary="Get a task comment",
    scopes=READ,
    returns=CommentOut(),
    etag=True,
    reads=comments.OF_HOLDER,
    errors=(NotFound,),
)
def show(actor: Actor, task_id: str, comment_id: str, record: Comment | None) -> Comment:
    return record or comments.get(actor, task_id, comment_id)


@bp.patch("/<id:comment_id>")
@operation(
    id="updateTaskComment",
    summary="Update a task comment",
    scopes=WRITE,
    body=CommentIn(partial=True),
    body_types=(JSON, MERGE_PATCH),
    returns=CommentOut(),
    etag=True,
    if_match=True,
    errors=(Forbidden, NotFound, PreconditionFailed),
)
def update(
    actor: Actor, task_id: str, comment_id: str, body: dict[str, str], expect: Expect
) -> Comment:
    """Only the author and admins may update a comment."""
    return comments.update(actor, task_id, comment_id, body.get("body"), expect)


@bp.delete("/<id:comment_id>")
@operation(
    id="deleteTaskComment",
    summary="Delete a task comment",
    scopes=WRITE,
    status=204,
    if_match=True,
    errors=(Forbidden, NotFound, PreconditionFailed),
)
def delete(actor: Actor, task_id: str, comment_id: str, expect: Expect) -> None:
    """Only the author, the task's owner and admins may delete a comment."""
    comments.delete(actor, task_id, comment_id, expect)
