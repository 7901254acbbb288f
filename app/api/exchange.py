"""Export and import of tasks as CSV or NDJSON."""

from typing import Any

from flask import Blueprint, Response, request
from marshmallow import Schema, fields, validate

from app.api.http import multipart, request_parsing
from app.api.http.multipart import MULTIPART
from app.api.http.operation import operation
from app.api.tasks import TaskFilters
from app.errors import InvalidLines, InvalidParameter, UnsupportedMediaType
from app.faults import Code, Fault
from app.schemas import task_files
from app.schemas.fields import choice
from app.schemas.task_files import CSV, NDJSON, SIZE_MAX
from app.services.shared.actor import Actor
from app.services.tasks import exchange, importing as task_import
from app.services.tasks.importing import Imported

bp = Blueprint("exchange", __name__, url_prefix="/tasks")
_FORMATS = {"csv": CSV, "ndjson": NDJSON}

_EXAMPLES = {
    CSV: "title,priority,labels\r\nWater the plums,high,garden;summer\r\n",
    NDJSON: '{"title": "Water the plums", "priority": "high", "labels": ["garden"]}\n',
}


_CSV_ONLY = Fault(Code.NOT_ALLOWED, "Only CSV takes a byte order mark.")


class ExportQuery(TaskFilters):
    format = choice(
        tuple(_FORMATS), required=True, metadata={"description": "The format of the response."}
    )
    bom = choice(
        ("0", "1"),
        load_default="0",
        metadata={"description": "1 adds a byte order mark to CSV, which Excel needs for UTF-8."},
    )


class WarningOut(Schema):
    line = fields.Integer(required=True, metadata={"description": "Line of the file, from 1."})
    pointer = fields.String(required=True, metadata={"description": "The field (RFC 6901)."})
    code = choice((Code.NOT_FOUND.value, Code.OUT_OF_RANGE.value), required=True)
    detail = fields.String(required=True)


class ImportedOut(Schema):
    created = fields.Integer(required=True, validate=validate.Range(min=0))
    warnings = fields.List(
        fields.Nested(WarningOut),
        required=True,
        metadata={
            "description": "Values that the import ignored: an assignee who matches no active user"
            " by id or username, and a date in the future."
        },
    )


@bp.get("/export")
@operation(
    id="exportTasks",
    summary="Export tasks",
    scopes=("tasks:read",),
    query=ExportQuery(),
    streams=_EXAMPLES,
)
def export(actor: Actor, query: dict[str, Any]) -> Response:
    """Streams all matching tasks. A CSV cell that a spreadsheet would run as a formula begins
    with `'`."""
    kind, sort = _FORMATS[query.pop("format")], query.pop("sort")
    marked = query.pop("bom") == "1"
    if marked and kind == NDJSON:
        raise InvalidParameter("Some query parameters are not valid.", {"bom": _CSV_ONLY})
    rows = exchange.every(actor, query, sort, everyone=actor.is_admin)
    return task_files.download(kind, rows, marked=marked)


@bp.post("/import")
@operation(
    id="importTasks",
    summary="Import tasks",
    scopes=("tasks:write",),
    takes=_EXAMPLES,
    takes_max=SIZE_MAX,
    takes_file="file",
    returns=ImportedOut(),
    status=201,
    idempotent=True,
    errors=(InvalidLines,),
)
def import_(actor: Actor) -> Imported:
    """Imports all tasks of the file or none, up to 50,000 tasks and 10 MiB. An export of any
    database can be imported; the tasks get new ids, owners and `updated_at`.
    """
    if request.mimetype == MULTIPART:
        data, named = multipart.file_of(request, "file", SIZE_MAX)
        kind = named if named in (CSV, NDJSON) else task_files.kind_of(data)
    elif request.mimetype in (CSV, NDJSON):
        data, kind = request_parsing.content(request), request.mimetype
    else:
        raise UnsupportedMediaType(f"Send the body as {CSV}, {NDJSON} or {MULTIPART}.")
    return task_import.import_tasks(actor, task_files.read(kind, data))
