"""Files of tasks, CSV and NDJSON, as the API and the pages hand them out and take them in."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from typing import Any

from flask import Response, stream_with_context

from app.errors import Invalid, InvalidLines, Malformed
from app.faults import Code, Fault
from app.models import Task
from app.services import labels, task_exchange
from app.services.task_exchange import COLUMNS, plain
from app.strict_json import load, parse, pointer
from app.task_input import TaskIn

CSV, NDJSON = "text/csv", "application/x-ndjson"
SIZE_MAX = 10 * 2**20  # bytes
FAULTS_MAX = 100  # told at once
Rows = Iterator[tuple[int, dict[str, Any]]]
Unread = Iterator[tuple[int, Callable[[], dict[str, Any]]]]
_WRITERS = {CSV: task_exchange.to_csv, NDJSON: task_exchange.to_ndjson}
_schema = TaskIn()
_READ_ONLY = frozenset(COLUMNS) - _schema.fields.keys()


def download(kind: str, rows: Iterable[Task]) -> Response:
    """The tasks as a file of this kind, streamed."""
    name = "tasks.csv" if kind == CSV else "tasks.ndjson"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    left = iter(rows)
    first = list(islice(left, 1))  # read now: what fails here is an error yet, and no broken file
    content = stream_with_context(_WRITERS[kind](chain(first, left)))
    return Response(content, headers=headers, content_type=f"{kind}; charset=utf-8")


def read(kind: str, data: bytes) -> Rows:
    """The values of each task in the file, with its line. Raises Malformed, InvalidLines."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Malformed("The file is not UTF-8.") from None
    return _valid(_csv_rows(text) if kind == CSV else _ndjson_rows(text))


def _valid(rows: Unread) -> Rows:
    """The validated rows; once one is at fault no more of them, but all faults in the end."""
    faults: list[dict[str, Any]] = []
    for line, values_of in rows:
        try:
            values = load(_schema, values_of())
        except Invalid as error:
            found = error.fields or {"": Fault(Code.MALFORMED, error.message)}
            faults += [
                {"line": line, "pointer": pointer(name), "code": why.code, "detail": why}
                for name, why in found.items()
            ]
            if len(faults) >= FAULTS_MAX:
                break
        else:
            if not faults:
                yield line, values
    if faults:
        raise InvalidLines("Some lines are not valid.", faults[:FAULTS_MAX])


def _csv_rows(text: str) -> Unread:
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
            "It is not CSV.", [{"line": reader.line_num, "code": Code.MALFORMED, "detail": detail}]
        ) from None


def _need_columns(header: list[str]) -> None:
    unknown = [name for name in header if name not in COLUMNS]
    if unknown or "title" not in header or len(set(header)) != len(header):
        why = f"The header needs title, and may have {', '.join(COLUMNS)}, each once."
        raise InvalidLines(
            "The header line is not valid.", [{"line": 1, "code": Code.MALFORMED, "detail": why}]
        )


def _from_csv(header: list[str], cells: list[str]) -> dict[str, Any]:
    if len(cells) != len(header):
        raise Invalid(f"It has {len(cells)} cells under {len(header)} columns.")
    row = dict(zip(header, map(plain, cells), strict=True))
    if any("\0" in cell for cell in cells):
        fault = Fault(Code.INVALID_CHARACTER, "It contains a NUL character.")
        raise Invalid(fault, {"": fault})
    values: dict[str, Any] = {
        name: cell for name, cell in row.items() if cell and name not in _READ_ONLY
    }
    if "labels" in values:
        values["labels"] = values["labels"].split(labels.SEPARATOR)
    return {"title": "", **values}


def _ndjson_rows(text: str) -> Unread:
    for line, content in enumerate(io.StringIO(text), 1):
        if content.strip():
            yield line, lambda content=content: _from_json(content)  # type: ignore[misc]


def _from_json(content: str) -> dict[str, Any]:
    try:
        value = parse(content.encode())
    except Malformed as error:
        raise Invalid(error.message) from None
    if not isinstance(value, dict):
        fault = Fault(Code.INVALID_TYPE, "It is not a JSON object.")
        raise Invalid(fault, {"": fault})
    return {name: inner for name, inner in value.items() if name not in _READ_ONLY}
