"""The export of tasks by the API, as CSV and NDJSON."""

import csv
import io
import json
import tracemalloc
from codecs import BOM_UTF8
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import insert

from app.errors import Unavailable
from app.extensions import db
from app.models import TASKS
from app.models.types import now, uuid7
from app.services.shared.actor import Actor
from app.services.tasks import tasks
from tests.api.test_tasks_api import FULL, make
from tests.support.answers import blamed, slug_of
from tests.support.clients import Api

COLUMNS = [
    "id",
    "title",
    "description",
    "status",
    "priority",
    "due_at",
    "labels",
    "owner_id",
    "assignee_id",
    "assignee",
    "completed_at",
    "created_at",
    "updated_at",
]
RISKY = ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "'=1", "''=1", "'''@", "'\tx"]
HARMLESS = ["'x", "''", "'", "a=1", " =1", "\n=1", "x\tx"]
FORMATS = ["csv", "ndjson"]


def export(api: Api, query: str) -> str:
    answer = api.get(f"/tasks/export?{query}")
    assert answer.status_code == 200, answer.text
    return answer.text


def rows(api: Api, query: str = "") -> list[dict[str, Any]]:
    text = export(api, f"format=csv&{query}")
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def lines(api: Api, query: str = "") -> list[dict[str, Any]]:
    text = export(api, f"format=ndjson&{query}")
    return [json.loads(line) for line in text.split("\n")[:-1]]


@pytest.mark.parametrize(
    ("kind", "content_type"), [("csv", "text/csv"), ("ndjson", "application/x-ndjson")]
)
def test_export_is_a_file_to_save(ann_api: Api, kind: str, content_type: str) -> None:
    answer = ann_api.get(f"/tasks/export?format={kind}")
    assert answer.headers["Content-Type"] == f"{content_type}; charset=utf-8"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="tasks.{kind}"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_head_tells_what_a_get_would(ann_api: Api) -> None:
    answer = ann_api.call("HEAD", "/tasks/export?format=csv")
    assert (answer.status_code, answer.data) == (200, b"")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"


def test_csv_has_the_columns_of_the_contract(ann_api: Api) -> None:
    text = export(ann_api, "format=csv")
    assert text == ",".join(COLUMNS) + "\r\n"
    make(ann_api)
    assert export(ann_api, "format=csv").startswith(text)


def test_csv_row_holds_the_task(ann_api: Api, bob: Actor) -> None:
    task = make(ann_api, **{**FULL, "status": "done", "assignee_id": bob.id})
    (row,) = rows(ann_api)
    assert list(row) == COLUMNS
    assert row == {
        **{name: task.get(name) or "" for name in COLUMNS},
        "labels": "garden;Summer",
        "assignee": "bob",
    }


def test_ndjson_line_holds_the_task(ann_api: Api, bob: Actor) -> None:
    task = make(ann_api, **{**FULL, "assignee_id": bob.id})
    (line,) = lines(ann_api)
    assert list(line) == COLUMNS
    assert line == {**{name: task.get(name) for name in COLUMNS}, "assignee": "bob"}


def test_task_without_an_assignee_names_none(ann_api: Api) -> None:
    make(ann_api)
    assert (rows(ann_api)[0]["assignee"], lines(ann_api)[0]["assignee"]) == ("", None)


def test_export_of_nothing_has_no_lines(ann_api: Api) -> None:
    assert (rows(ann_api), export(ann_api, "format=ndjson")) == ([], "")


@pytest.mark.parametrize("text", ['a"b', "a,b", "a\nb", "a\r\nb", 'a""b', "a;b", "\U0001f351", '"'])
def test_csv_is_quoted_by_rfc_4180(ann_api: Api, text: str) -> None:
    make(ann_api, description=text)
    assert rows(ann_api)[0]["description"] == text
    escaped = text.replace('"', '""')
    needed = any(character in text for character in '",\r\n')
    assert (f'"{escaped}"' in export(ann_api, "format=csv")) == needed


@pytest.mark.parametrize(("query", "mark"), [("", b""), ("&bom=0", b""), ("&bom=1", BOM_UTF8)])
def test_csv_begins_with_a_byte_order_mark_where_it_is_asked_for(
    ann_api: Api, query: str, mark: bytes
) -> None:
    make(ann_api, title="Gr\u00fc\u00dfe")
    answer = ann_api.get(f"/tasks/export?format=csv{query}")
    assert answer.data.startswith(mark + b"id,title,")
    assert answer.data.count(BOM_UTF8) == len(mark) // 3


def test_json_has_no_byte_order_mark(ann_api: Api) -> None:
    """RFC 8259, 8.1."""
    assert blamed(ann_api.get("/tasks/export?format=ndjson&bom=1")) == ["bom"]
    assert ann_api.get("/tasks/export?format=ndjson&bom=0").status_code == 200


def test_export_with_a_byte_order_mark_is_imported(ann_api: Api) -> None:
    make(ann_api, title="Plums")
    content = ann_api.get("/tasks/export?format=csv&bom=1").data
    answer = ann_api.call("POST", "/tasks/import", data=content, content_type="text/csv")
    assert answer.get_json() == {"created": 1, "warnings": []}


@pytest.mark.parametrize("text", RISKY)
def test_cell_that_a_spreadsheet_would_run_gets_an_apostrophe(ann_api: Api, text: str) -> None:
    make(ann_api, description=text)
    assert rows(ann_api)[0]["description"] == f"'{text}"
    assert lines(ann_api)[0]["description"] == text


@pytest.mark.parametrize("text", HARMLESS)
def test_harmless_cell_stays_as_it_is(ann_api: Api, text: str) -> None:
    make(ann_api, description=text)
    assert rows(ann_api)[0]["description"] == text


def test_risky_labels_and_titles_get_one_too(ann_api: Api) -> None:
    make(ann_api, title="=SUM(A1)", labels=["@a", "=b"])
    (row,) = rows(ann_api)
    assert (row["title"], row["labels"]) == ("'=SUM(A1)", "'@a;=b")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("status=done", ["b"]),
        ("status=done&status=todo", ["c", "b", "a"]),
        ("label=X&sort=title", ["a", "b"]),
        ("sort=-title&priority=normal", ["c", "b", "a"]),
        ("q=needle", ["c"]),
        ("overdue=true", ["a"]),
        ("trashed=true", ["d"]),
    ],
)
@pytest.mark.parametrize("read", [rows, lines], ids=FORMATS)
def test_export_takes_the_filters_of_the_list(
    ann_api: Api, read: Any, query: str, found: list[str]
) -> None:
    make(ann_api, title="a", labels=["x"], due_at="2020-01-01T00:00:00Z")
    make(ann_api, title="b", labels=["x"], status="done")
    make(ann_api, title="c", description="needle")
    ann_api.delete(f"/tasks/{make(ann_api, title='d')['id']}")
    assert [row["title"] for row in read(ann_api, query)] == found


def test_export_holds_what_one_sees(ann_api: Api, bob_api: Api, root_api: Api, bob: Actor) -> None:
    make(ann_api, title="hers")
    make(ann_api, title="theirs", assignee_id=bob.id)
    assert [row["title"] for row in lines(ann_api)] == ["theirs", "hers"]
    assert [row["title"] for row in lines(bob_api)] == ["theirs"]
    assert len(lines(root_api)) == 2


@pytest.mark.parametrize(
    ("query", "blame"),
    [
        ("", ["format"]),
        ("format=xml", ["format"]),
        ("format=csv&limit=5", ["limit"]),
        ("format=csv&cursor=x", ["cursor"]),
        ("format=csv&status=x", ["status"]),
        ("format=csv&format=csv", ["format"]),
        ("format=csv&bom=yes", ["bom"]),
    ],
)
def test_bad_parameter_is_refused(ann_api: Api, query: str, blame: list[str]) -> None:
    answer = ann_api.get(f"/tasks/export?{query}")
    assert (slug_of(answer), blamed(answer)) == ((422, "invalid-parameter"), blame)


@pytest.mark.parametrize("kind", FORMATS)
def test_database_that_is_away_is_an_error_and_no_empty_file(
    ann_api: Api, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise Unavailable("The database cannot be reached.")

    monkeypatch.setattr(tasks, "page", away)
    answer = ann_api.get(f"/tasks/export?format={kind}")
    assert slug_of(answer) == (503, "unavailable")
    assert "Content-Disposition" not in answer.headers


def fill(app: Flask, owner: Actor, number: int) -> None:
    """Store `number` tasks, created some microseconds apart, with ties."""
    moment = now()
    row = {"owner_id": owner.id, "description": "x" * 300, "completed_at": None}
    table: Any = TASKS
    with app.app_context(), db.engine.begin() as connection:
        made = [
            {
                **row,
                "id": uuid7(),
                "title": f"{n}",
                "created_at": moment.replace(microsecond=n // 3),
            }
            for n in range(number)
        ]
        connection.execute(insert(table), made)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("sort", ["-created_at", "title", "due_at"])
def test_export_holds_every_task_once_across_batches(
    app: Flask, ann: Actor, ann_api: Api, kind: str, sort: str
) -> None:
    fill(app, ann, 1203)
    read = rows if kind == "csv" else lines
    found = [row["title"] for row in read(ann_api, f"sort={sort}")]
    assert sorted(map(int, found)) == list(range(1203))


def peak(api: Api, kind: str) -> tuple[int, int]:
    """Return the peak of allocated bytes during an export, and the size of the export."""
    tracemalloc.start()
    answer = api.get(f"/tasks/export?format={kind}", buffered=False)
    size = sum(map(len, answer.response))
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    answer.close()
    return held, size


@pytest.mark.slow
def test_memory_does_not_grow_with_the_export(app: Flask, ann: Actor, ann_api: Api) -> None:
    fill(app, ann, 2_000)
    small = [peak(ann_api, kind) for kind in FORMATS]
    fill(app, ann, 18_000)
    large = [peak(ann_api, kind) for kind in FORMATS]
    for (less, some), (more, much) in zip(small, large, strict=True):
        assert much > 9 * some > 6_000_000
        assert more < less * 1.25
