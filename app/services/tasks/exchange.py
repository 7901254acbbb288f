"""The export of tasks as CSV (RFC 4180) and NDJSON, in batches of bounded memory.

A cell that a spreadsheet would run as a formula gets a leading ' (ASVS 5.0, 1.2.10), which the
import removes.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from app.services.shared import display_names
from app.services.shared.actor import Actor
from app.services.shared.paging import PageRequest
from app.services.tasks import labels, tasks

BATCH = 500
COLUMNS = (
    "id",
    "title",
    "description",
    "status",
    "priority",
    "due_at",
    "labels",
    "owner_id",
    "assignee_id",
    "assignee",  # the username, for an import into another database
    "completed_at",
    "created_at",
    "updated_at",
)
_OF_TASK = tuple(name for name in COLUMNS if name != "assignee")
Exported = dict[str, Any]  # a value for each of COLUMNS
# A formula, also behind any number of ', so that removing the export's ' restores every cell.
_RISKY = re.compile("'*[=+\\-@\t\r]")


def every(
    actor: Actor, filters: dict[str, Any], sort: str, *, everyone: bool
) -> Iterator[Exported]:
    """Yield all matching tasks, by keyset, so that no cursor stays open between two batches."""
    after: list[Any] | None = None
    while True:
        request = PageRequest(BATCH, after)
        page = tasks.page(actor, request, filters=filters, sort=sort, everyone=everyone)
        people = display_names.of_users(actor, (task.assignee_id for task in page.items))
        for task in page.items:
            values = {name: getattr(task, name) for name in _OF_TASK}
            yield {**values, "assignee": people.get(task.assignee_id or "")}
        after = page.last
        if after is None:
            return


def to_csv(rows: Iterable[Exported]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    for number, task in enumerate(rows):
        writer.writerow([_cell(task[name]) for name in COLUMNS])
        if number % BATCH == BATCH - 1:
            yield _taken(buffer)
    yield _taken(buffer)


def to_ndjson(rows: Iterable[Exported]) -> Iterator[str]:
    for task in rows:
        line = {name: task[name] for name in COLUMNS}
        yield orjson.dumps(line, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE).decode()


def _taken(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        value = labels.SEPARATOR.join(value)
    text = value if isinstance(value, str) else value.isoformat().replace("+00:00", "Z")
    return f"'{text}" if _RISKY.match(text) else text


def plain(cell: str) -> str:
    """Return the cell without the leading ' of an export."""
    return cell[1:] if cell.startswith("'") and _RISKY.match(cell) else cell
