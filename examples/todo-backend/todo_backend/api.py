"""The operations of the Todo-Backend contract, for strangers and for signed-in users."""

from typing import Any, ClassVar

from flask import Blueprint, current_app
from marshmallow import Schema

from app.api.http.operation import operation
from app.api.http.request_parsing import JSON, MERGE_PATCH
from app.errors import Conflict, NotFound
from app.schemas.coded_fields import Length, Range
from app.schemas.fields import Computed, Flag, Identifier, Line, Strict, Text, Whole
from app.schemas.names import outside_names
from app.services.shared.actor import Actor
from todo_backend import todos
from todo_backend.models import POSITION_MAX, TITLE_MAX, Todo

bp = Blueprint("todo_backend", __name__)
_todos = Blueprint("todos", __name__, url_prefix="/todos")
READ, WRITE = ("tasks:read",), ("tasks:write",)


def url_of(todo: Todo) -> str:
    """Return the absolute URL of a todo, for a page of another origin."""
    return f"{current_app.config['PUBLIC_URL']}/api/v1/todos/{todo.id}"


class TodoOut(Schema):
    id = Identifier(required=True)
    title = Text(required=True)
    completed = Flag(required=True)
    position = Whole(data_key="order", required=True, allow_none=True)
    url = Computed(url_of, Text(metadata={"format": "uri"}), required=True)


class TodoIn(Strict):
    title = Line(required=True, validate=Length(min=1, max=TITLE_MAX))
    completed = Flag()
    position = Whole(data_key="order", allow_none=True, validate=Range(-POSITION_MAX, POSITION_MAX))
    resource_fields = outside_names(TodoOut())
    example: ClassVar[dict[str, Any]] = {"title": "Walk the dog", "order": 1}


@_todos.get("")
@operation(
    id="listTodos",
    summary="List todos",
    scopes=READ,
    token_optional=True,
    returns=TodoOut(many=True),
)
def index(actor: Actor) -> list[Todo]:
    """Lists the caller's todos, without a token the todos that all strangers share."""
    return todos.list_all(actor)


@_todos.post("")
@operation(
    id="createTodo",
    summary="Create a todo",
    scopes=WRITE,
    token_optional=True,
    body=TodoIn(),
    returns=TodoOut(),
    status=201,
    location="/api/v1/todos/{0.id}",
    errors=(Conflict,),
)
def create(actor: Actor, body: dict[str, Any]) -> Todo:
    return todos.create(actor, body)


@_todos.delete("")
@operation(
    id="deleteTodos", summary="Delete all todos", scopes=WRITE, token_optional=True, status=204
)
def delete_all(actor: Actor) -> None:
    todos.delete_all(actor)


@_todos.get("/<id:todo_id>")
@operation(
    id="getTodo",
    summary="Get a todo",
    scopes=READ,
    token_optional=True,
    returns=TodoOut(),
    errors=(NotFound,),
)
def show(actor: Actor, todo_id: str) -> Todo:
    return todos.get(actor, todo_id)


@_todos.patch("/<id:todo_id>")
@operation(
    id="updateTodo",
    summary="Update a todo",
    scopes=WRITE,
    token_optional=True,
    body=TodoIn(partial=True),
    body_types=(JSON, MERGE_PATCH),
    returns=TodoOut(),
    errors=(NotFound,),
)
def update(actor: Actor, todo_id: str, body: dict[str, Any]) -> Todo:
    return todos.update(actor, todo_id, body)


@_todos.delete("/<id:todo_id>")
@operation(
    id="deleteTodo",
    summary="Delete a todo",
    scopes=WRITE,
    token_optional=True,
    status=204,
    errors=(NotFound,),
)
def delete(actor: Actor, todo_id: str) -> None:
    todos.delete(actor, todo_id)


bp.register_blueprint(_todos)
