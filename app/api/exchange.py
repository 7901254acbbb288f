"""Tasks out of the service and into it, as CSV or NDJSON."""

import csv
import io
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

from flask import Blueprint, Response, request, stream_with_context
from marshmallow import Schema, fields, validate

from app.api import reading
from app.api.fields import choice
from app.api.operation import operation
from app.api.tasks import TaskFilters, TaskIn
from app.errors import Invalid, InvalidLines, Malformed, UnsupportedMediaType
from app.services import task_exchange
from app.services.actor import Actor
from app.services.task_exchange import COLUMNS, plain

bp = Blueprint("exchange", __name__, url_prefix="/tasks")
CSV, NDJSON = "text/csv", "application/x-ndjson"
_FORMATS = {"csv": (CSV, task_exchange.to_csv), "ndjson": (NDJSON, task_exchange.to_ndjson)}
SIZE_MAX = 10 * 2**20  # bytes
FAULTS_MAX = 100  # told at once
Rows = Iterator[tuple[int, dict[str, Any]]]
_schema = TaskIn()
_READ_ONLY = frozenset(COLUMNS) - _schema.fields.keys()


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
    streams=(CSV, NDJSON),
)
def export(actor: Actor, query: dict[str, Any]) -> Response:
    """All that match, streamed. A CSV cell that would be a formula gets a ' in front."""
    kind, write = _FORMATS[query.pop("format")]
    sort = query.pop("sort")
    rows = task_exchange.every(actor, query, sort, everyone=actor.is_admin)
    name = "tasks.csv" if kind == CSV else "tasks.ndjson"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    content_type = f"{kind}; charset=utf-8"
    return Response(stream_with_context(write(rows)), headers=headers, content_type=content_type)


@bp.post("/import")
@operation(
    summary="Import tasks",
    scopes=("tasks:write",),
    takes=(CSV, NDJSON),
    takes_max=SIZE_MAX,
    returns=ImportedOut(),
    status=201,
    idempotent=True,
    errors=(InvalidLines, Malformed),
)
def import_(actor: Actor) -> SimpleNamespace:
    """All of them or none. An export can be imported: what is read-only in it is passed over."""
    readers = {CSV: _csv_rows, NDJSON: _ndjson_rows}
    read = readers.get(request.mimetype)
    if read is None:
        raise UnsupportedMediaType(f"Send the body as {CSV} or {NDJSON}.")
    try:
        text = reading.content(request).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Malformed("The body is not UTF-8.") from None
    return SimpleNamespace(created=task_exchange.take_in(actor, _valid(read(text))))


def _valid(rows: Iterator[tuple[int, Callable[[], dict[str, Any]]]]) -> Rows:
    """The validated rows; once one is at fault no more of them, but all faults in the end."""
    faults: list[dict[str, Any]] = []
    for line, read in rows:
        try:
            values = reading.load(_schema, read())
        except Invalid as error:
            found = error.fields or {"": error.message}
            faults += [
                {"line": line, "pointer": f"/{name}" if name else "", "detail": why}
                for name, why in found.items()
            ]
            if len(faults) >= FAULTS_MAX:
                break
        else:
            if not faults:
                yield line, values
    if faults:
        raise InvalidLines("Some lines do not do.", faults[:FAULTS_MAX])


def _csv_rows(text: str) -> Iterator[tuple[int, Callable[[], dict[str, Any]]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        _need_columns(header)
        last = reader.line_num
        for cells in reader:
            line, last = last + 1, reader.line_num
            if cells:
                yield line, lambda cells=cells: _from_csv(header, cells)  # type: ignore[misc]
    except csv.Error as error:
        detail = f"This is not CSV: {error}."
        raise InvalidLines(
            "It is not CSV.", [{"line": reader.line_num, "detail": detail}]
        ) from None


def _need_columns(header: list[str]) -> None:
    unknown = [name for name in header if name not in COLUMNS]
    if unknown or "title" not in header or len(set(header)) != len(header):
        why = f"The header needs title, and may have {', '.join(COLUMNS)}, each once."
        raise InvalidLines("The header does not do.", [{"line": 1, "detail": why}])


def _from_csv(header: list[str], cells: list[str]) -> dict[str, Any]:
    if len(cells) != len(header):
        raise Invalid(f"It has {len(cells)} cells under {len(header)} columns.")
    row = dict(zip(header, map(plain, cells), strict=True))
    if any("\0" in cell for cell in cells):
        raise Invalid("It has a NUL.")
    values: dict[str, Any] = {
        name: cell for name, cell in row.items() if cell and name not in _READ_ONLY
    }
    if "labels" in values:
        values["labels"] = values["labels"].split(";")
    return {"title": "", **values}


def _ndjson_rows(text: str) -> Iterator[tuple[int, Callable[[], dict[str, Any]]]]:
    for line, content in enumerate(io.StringIO(text), 1):
        if content.strip():
            yield line, lambda content=content: _from_json(content)  # type: ignore[misc]


def _from_json(content: str) -> dict[str, Any]:
    try:
        value = reading.parse(content.encode())
    except Malformed as error:
        raise Invalid(error.message) from None
    if not isinstance(value, dict):
        raise Invalid("It is not a JSON object.")
    return {name: inner for name, inner in value.items() if name not in _READ_ONLY}
