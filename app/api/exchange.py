"""Tasks out of the service and into it, as CSV or NDJSON."""

from functools import partial
from types import SimpleNamespace
from typing import Any

from flask import Blueprint, Response, request
from marshmallow import Schema, fields, validate

from app import task_files
from app.api import reading
from app.api.operation import operation
from app.api.tasks import TaskFilters
from app.errors import InvalidLines, Malformed, UnsupportedMediaType
from app.fields import choice
from app.services import task_exchange, task_import
from app.services.actor import Actor
from app.task_files import CSV, NDJSON, SIZE_MAX

bp = Blueprint("exchange", __name__, url_prefix="/tasks")
_FORMATS = {"csv": CSV, "ndjson": NDJSON}

_EXAMPLES = {
    CSV: "title,priority,labels\r\nWater the plums,high,garden;summer\r\n",
    NDJSON: '{"title": "Water the plums", "priority": "high", "labels": ["garden"]}\n',
}


class ExportQuery(TaskFilters):
    format = choice(
        tuple(_FORMATS), required=True, metadata={"description": "What the answer is written in."}
    )


class ImportedOut(Schema):
    created = fields.Integer(required=True, validate=validate.Range(min=0))


@bp.get("/export")
@operation(
    summary="Export tasks",
    scopes=("tasks:read",),
    query=ExportQuery(),
    streams=_EXAMPLES,
)
def export(actor: Actor, query: dict[str, Any]) -> Response:
    """All that match, streamed. A CSV cell that would be a formula gets a ' in front."""
    kind, sort = _FORMATS[query.pop("format")], query.pop("sort")
    rows = task_exchange.every(actor, query, sort, everyone=actor.is_admin)
    return task_files.download(kind, rows)


@bp.post("/import")
@operation(
    summary="Import tasks",
    scopes=("tasks:write",),
    takes=_EXAMPLES,
    takes_max=SIZE_MAX,
    returns=ImportedOut(),
    status=201,
    idempotent=True,
    errors=(InvalidLines, Malformed),
)
def import_(actor: Actor) -> SimpleNamespace:
    """All of them or none, up to 50,000 tasks and 10 MiB at once. An export can be imported: what
    is read-only in it is passed over.
    """
    if request.mimetype not in (CSV, NDJSON):
        raise UnsupportedMediaType(f"Send the body as {CSV} or {NDJSON}.")
    read = partial(task_files.read, request.mimetype, reading.content(request))
    return SimpleNamespace(created=task_import.take_in(actor, read))
