"""Files of tasks (CSV and NDJSON) for the export and import of the API and the pages."""

import io
import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain, islice, zip_longest
from typing import Any

from flask import Response, stream_with_context

from app.errors import Invalid, InvalidLines, Malformed
from app.faults import Code, Fault
from app.models.types import canonical_id
from app.schemas import csv_rows
from app.schemas.file_text import FAULTS_MAX, fault, text_of, unreadable
from app.schemas.strict_json import load, parse
from app.schemas.tasks import TaskLine
from app.services.tasks import exchange, labels
from app.services.tasks.exchange import COLUMNS, Exported, plain
from app.services.tasks.importing import Row

CSV, NDJSON = "text/csv", "application/x-ndjson"
SIZE_MAX = 10 * 2**20  # bytes
Unread = Iterator[tuple[int, Callable[[], dict[str, Any]]]]
_WRITERS = {CSV: exchange.to_csv, NDJSON: exchange.to_ndjson}
_schema = TaskLine()
_UNREAD = frozenset(COLUMNS) - _schema.fields.keys() - {"id"}  # ignored: set by each database


def download(kind: str, rows: Iterable[Exported], *, marked: bool = False) -> Response:
    """Return the tasks as a streamed file of this kind; `marked` adds a byte order mark."""
    name = "tasks.csv" if kind == CSV else "tasks.ndjson"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    left = iter(rows)
    first = list(islice(left, 1))  # read now, so that a failure is an error and no broken file
    content = chain(["\ufeff"] if marked else [], _WRITERS[kind](chain(first, left)))
    return Response(
        stream_with_context(content), headers=headers, content_type=f"{kind}; charset=utf-8"
    )


def read(kind: str, data: bytes) -> Iterator[Row]:
    """Return the validated tasks of the file. Raises InvalidLines, here or from the iterator."""
    text = text_of(data)
    start = text.lstrip()[:1]
    if kind == CSV and start in ("{", "["):
        raise unreadable(f"This file looks like JSON. Send it as {NDJSON}, an object in each line.")
    if kind == NDJSON and start == "[":
        raise unreadable("This file looks like a JSON array. Write an object in each line.")
    if kind == NDJSON and _is_csv(text):
        raise unreadable(f"This file looks like CSV. Send it as {CSV}.")
    return _valid(_csv_rows(text) if kind == CSV else _ndjson_rows(text))


def kind_of(data: bytes) -> str:
    """Return CSV or NDJSON by the first character of the file. Raises InvalidLines."""
    return NDJSON if text_of(data).lstrip().startswith(("{", "[")) else CSV


def _is_csv(text: str) -> bool:
    header = text.lstrip().partition("\n")[0].lower()
    return bool(re.match(r'"?sep=|[^{":]*\btitle\b[^{:]*$', header.replace('"', "")))


def _valid(rows: Unread) -> Iterator[Row]:
    """Yield the validated rows up to the first fault; raise InvalidLines with all faults."""
    faults: list[dict[str, Any]] = []
    for line, values_of in rows:
        try:
            given = values_of()
            original_id = given.pop("id", None)
            values = load(_schema, given)
        except Invalid as error:
            found = error.fields or {"": Fault(Code.MALFORMED, error.message)}
            faults += [fault(line, name, why) for name, why in found.items()]
            if len(faults) >= FAULTS_MAX:
                break
        else:
            if not faults:
                yield Row(line, values, _plain_id(original_id))
    if faults:
        raise InvalidLines("Some lines are not valid.", faults[:FAULTS_MAX])


def _plain_id(value: Any) -> str:
    return canonical_id(value) or "" if isinstance(value, str) else ""


def _csv_rows(text: str) -> Unread:
    names, rows = csv_rows.rows(text, COLUMNS, "title")
    for line, cells in rows:
        yield line, partial(_from_csv, names, cells)


def _from_csv(names: list[str], cells: list[str]) -> dict[str, Any]:
    values: dict[str, Any] = {"title": ""}
    for name, cell in zip_longest(names, cells, fillvalue=""):
        if "\0" in cell:
            raise _invalid(Code.INVALID_CHARACTER, "The value contains a NUL character.")
        if cell and name not in _UNREAD:
            values[name] = plain(cell)
    if values.pop("", "").strip():
        why = f"The row has {len(cells)} cells, the header has {len(names)} columns."
        raise _invalid(Code.TOO_LONG, why)
    if "labels" in values:
        values["labels"] = values["labels"].split(labels.SEPARATOR)
    return values


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
        raise _invalid(Code.INVALID_TYPE, "The line is not a JSON object.")
    return {name: inner for name, inner in value.items() if name not in _UNREAD}


def _invalid(code: Code, detail: str) -> Invalid:
    """Return a fault of the whole line."""
    return Invalid(detail, {"": Fault(code, detail)})
