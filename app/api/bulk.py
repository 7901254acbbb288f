"""Bulk changes of tasks: many in one request, all or none."""

from types import SimpleNamespace
from typing import Any, ClassVar, NoReturn

from flask import Blueprint, current_app
from marshmallow import Schema, ValidationError, fields

from app.api.http.operation import operation
from app.api.tasks import TaskOut, compile_task
from app.errors import (
    Forbidden,
    Invalid,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
)
from app.schemas.coded_fields import Length, List, Nested, Range
from app.schemas.fields import Identifier, OneOf, Strict, Whole, choice
from app.schemas.strict_json import faults
from app.schemas.tasks import TaskIn
from app.services.shared.actor import Actor
from app.services.tasks import bulk as task_bulk
from app.services.tasks.bulk import OPERATIONS_MAX, Change

VERSION_MAX = 2**31 - 1  # of the column
bp = Blueprint("bulk", __name__, url_prefix="/tasks")


class BulkCreate(Strict):
    op = choice(("create",), required=True)
    data = Nested(TaskIn, required=True)


class BulkDelete(Strict):
    op = choice(("delete",), required=True)
    id = Identifier(required=True)
    version = Whole(validate=Range(min=1, max=VERSION_MAX))


class BulkUpdate(BulkDelete):
    op = choice(("update",), required=True)
    data = Nested(TaskIn(partial=True), required=True)


class BulkIn(Strict):
    operations = List(
        OneOf("op", {"create": BulkCreate(), "update": BulkUpdate(), "delete": BulkDelete()}),
        required=True,
        validate=Length(1, OPERATIONS_MAX),
    )

    def handle_error(self, error: ValidationError, data: Any, **options: Any) -> NoReturn:
        """Raise Invalid with the index of the faulty operation."""
        super().handle_error(error, data, **options)
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
    op = choice(("create", "update", "delete"), required=True)
    id = Identifier(required=True)
    task = fields.Nested(TaskOut, required=True, allow_none=True)


class BulkOut(Schema):
    results = fields.List(fields.Nested(BulkResult), required=True)


@bp.post("/bulk")
@operation(
    id="bulkTasks",
    summary="Change tasks in bulk",
    scopes=("tasks:write",),
    body=BulkIn(),
    returns=BulkOut(),
    idempotent=True,
    errors=(Forbidden, NotFound, PreconditionFailed, PreconditionRequired),
)
def bulk(actor: Actor, body: dict[str, Any]) -> SimpleNamespace:
    """Applies all operations or none. An error has the `index` of the first failing operation."""
    if current_app.config["REQUIRE_IF_MATCH"]:
        _require_versions(body["operations"])
    changes = [_change(**given) for given in body["operations"]]
    try:
        done = task_bulk.apply(actor, changes)
    except Invalid as error:
        raise _with_full_pointers(error) from None
    results = [
        {"index": n, "op": change.op, "id": task_id, "task": task and compile_task(task)}
        for n, (change, task_id, task) in enumerate(done)
    ]
    return SimpleNamespace(results=results)


def _require_versions(operations: list[dict[str, Any]]) -> None:
    for index, given in enumerate(operations):
        if given["op"] != "create" and "version" not in given:
            required = PreconditionRequired("Send the version of the task that you read.")
            required.index = index
            raise required


def _change(op: str, version: int | None = None, **given: Any) -> Change:
    return Change(op, **given, expect=None if version is None else {version})


def _with_full_pointers(error: Invalid) -> Invalid:
    """Return a service's error with pointers that start at the root of the request body."""
    where = f"operations/{error.index}/data"
    placed = Invalid(error.message, {f"{where}/{n}": why for n, why in error.fields.items()})
    placed.index = error.index
    return placed
