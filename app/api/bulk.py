"""Many changes of tasks in one request, all or nothing."""

from types import SimpleNamespace
from typing import Any, ClassVar, NoReturn

from flask import Blueprint, current_app
from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from app.api.operation import operation
from app.api.tasks import TaskOut, compile_task
from app.errors import (
    Forbidden,
    Invalid,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
)
from app.fields import Identifier, Strict, choice
from app.services import task_bulk
from app.services.actor import Actor
from app.services.task_bulk import OPERATIONS_MAX, Change
from app.strict_json import faults, load
from app.task_input import TaskIn

bp = Blueprint("bulk", __name__, url_prefix="/tasks")
OPS = ("create", "update", "delete")
_NEEDED = {"create": {"data"}, "update": {"id", "data"}, "delete": {"id"}}
_ALLOWED = {
    "create": {"op", "data"},
    "update": {"op", "id", "version", "data"},
    "delete": {"op", "id", "version"},
}
_CREATE, _UPDATE = TaskIn(), TaskIn(partial=True)


class BulkOperation(Strict):
    op = choice(OPS, required=True)
    id = Identifier()
    version = fields.Integer(strict=True, validate=validate.Range(min=1))
    data = fields.Dict(metadata={"description": "As the body of a POST or a PATCH."})

    @validates_schema
    def fits_op(self, values: dict[str, Any], **_: Any) -> None:
        op = values["op"]
        faults = {name: ["This operation needs it."] for name in _NEEDED[op] - values.keys()}
        faults |= {name: ["This operation takes none."] for name in values.keys() - _ALLOWED[op]}
        if faults:
            raise ValidationError(faults)


class BulkIn(Strict):
    operations = fields.List(
        fields.Nested(BulkOperation),
        required=True,
        validate=validate.Length(1, OPERATIONS_MAX),
    )

    def handle_error(self, error: ValidationError, data: Any, **_: Any) -> NoReturn:  # noqa: ARG002
        """Say as well which operation it was, as every other error here does."""
        invalid = Invalid("Some values are not valid.", dict(faults(error.messages)))
        places = error.messages_dict.get("operations")
        if isinstance(places, dict):
            invalid.index = min(places)
        raise invalid

    example: ClassVar[dict[str, Any]] = {
        "operations": [{"op": "create", "data": {"title": "Book the room"}}]
    }


class BulkResult(Schema):
    index = fields.Integer(required=True)
    op = choice(OPS, required=True)
    id = Identifier(required=True)
    task = fields.Nested(TaskOut, required=True, allow_none=True)


class BulkOut(Schema):
    results = fields.List(fields.Nested(BulkResult), required=True)


@bp.post("/bulk")
@operation(
    summary="Change many tasks, all or none",
    scopes=("tasks:write",),
    body=BulkIn(),
    returns=BulkOut(),
    idempotent=True,
    errors=(Forbidden, NotFound, PreconditionFailed, PreconditionRequired),
)
def bulk(actor: Actor, body: dict[str, Any]) -> SimpleNamespace:
    """An error carries the `index` of the first operation that fails; none is made then."""
    changes = [_change(index, given) for index, given in enumerate(body["operations"])]
    try:
        done = task_bulk.apply(actor, changes)
    except Invalid as error:
        raise _placed(error, error.index) from None
    results = [
        {"index": n, "op": change.op, "id": task_id, "task": task and compile_task(task)}
        for n, (change, task_id, task) in enumerate(done)
    ]
    return SimpleNamespace(results=results)


def _change(index: int, given: dict[str, Any]) -> Change:
    op, version, data = given["op"], given.get("version"), given.get("data", {})
    if op != "create" and version is None and current_app.config["REQUIRE_IF_MATCH"]:
        required = PreconditionRequired("Give the version of what you have read.")
        required.index = index
        raise required
    if op != "delete":
        try:
            data = load(_CREATE if op == "create" else _UPDATE, data)
        except Invalid as error:
            raise _placed(error, index) from None
    return Change(op, given.get("id", ""), data, None if version is None else {version})


def _placed(error: Invalid, index: int | None) -> Invalid:
    """The error, its pointers into the whole body and no more into one operation's data."""
    where = f"operations/{index}/data"
    fields = {f"{where}/{name}".rstrip("/"): why for name, why in error.fields.items()}
    placed = Invalid(error.message, fields)
    placed.index = index
    return placed
