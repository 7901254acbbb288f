"""The import of tasks by the API from CSV and NDJSON: all or none."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from hypothesis import example, given, settings, strategies as st
from sqlalchemy import delete
from werkzeug.test import TestResponse

from app.extensions import db
from app.models import Task
from app.services.shared import text_rules
from app.services.shared.actor import Actor
from app.services.tasks import importing as task_import
from app.sql import RequestConnection
from tests.api.test_export_api import HARMLESS, RISKY, export, lines
from tests.api.test_tasks_api import DEFAULTS, FULL, make
from tests.support.answers import MISSING, slug_of
from tests.support.clients import Api
from tests.support.rows import events, rows

KINDS = {"csv": "text/csv", "ndjson": "application/x-ndjson"}
WRITABLE = ("title", "description", "status", "priority", "due_at", "labels", "assignee_id")
MIB = 2**20


def send(api: Api, kind: str, content: str | bytes) -> TestResponse:
    return api.call("POST", "/tasks/import", data=content, content_type=KINDS[kind])


def take_in(api: Api, kind: str, content: str | bytes) -> int:
    answer = send(api, kind, content)
    assert answer.status_code == 201, answer.text
    assert answer.get_json().keys() == {"created", "warnings"}
    assert answer.get_json()["warnings"] == []
    created: int = answer.get_json()["created"]
    return created


def refused(answer: TestResponse) -> list[tuple[int, str]]:
    """Return the line and the pointer of each fault."""
    assert slug_of(answer) == (422, "invalid-lines")
    faults = answer.get_json()["errors"]
    assert all(fault["detail"] for fault in faults)
    return [(fault["line"], fault.get("pointer", "")) for fault in faults]


def kept(api: Api) -> list[dict[str, Any]]:
    """Return the importable fields of each task, the oldest first."""
    return [{name: line[name] for name in WRITABLE} for line in lines(api, "sort=created_at")]


def test_title_is_all_that_is_needed(ann: Actor, ann_api: Api) -> None:
    assert take_in(ann_api, "csv", "title\nPlums\n") == 1
    assert take_in(ann_api, "ndjson", '{"title": "Pears"}') == 1
    items = ann_api.get("/tasks?sort=-title").get_json()["items"]
    assert [task["title"] for task in items] == ["Plums", "Pears"]
    for task in items:
        assert task.items() >= {**DEFAULTS, "owner_id": ann.id}.items()


def test_columns_come_in_any_order(ann_api: Api, bob: Actor) -> None:
    header = "labels,assignee_id,priority,title,status,due_at,description"
    row = f'a; B ,{bob.id},high, Plums ,done,2030-01-01T01:00:00+01:00,"All\nof them"'
    assert take_in(ann_api, "csv", f"{header}\r\n{row}\r\n") == 1
    assert kept(ann_api) == [
        {
            "title": "Plums",
            "description": "All\nof them",
            "status": "done",
            "priority": "high",
            "due_at": "2030-01-01T00:00:00Z",
            "labels": ["a", "B"],
            "assignee_id": bob.id,
        }
    ]


def follows(rule: Callable[[str], str]) -> Callable[[str], bool]:
    """Return a predicate for texts that the rule leaves unchanged."""

    def stays(text: str) -> bool:
        try:
            return rule(text) == text
        except ValueError:
            return False

    return stays


@pytest.mark.parametrize("kind", KINDS)
def test_export_is_imported_again(ann_api: Api, root_api: Api, bob: Actor, kind: str) -> None:
    for values in (
        FULL,
        {"assignee_id": bob.id, "status": "done"},
        {"title": "\u200fx", "description": "\u2028x\u2029y"},
    ):
        make(ann_api, **values)
    for text in (*RISKY, *HARMLESS):
        make(
            ann_api,
            title=text if follows(text_rules.line)(text) else "x",
            description=text,
            labels=["=a"],
        )
    exported, before = export(ann_api, f"format={kind}&sort=created_at"), kept(ann_api)
    assert take_in(root_api, kind, exported) == len(before)
    assert kept(root_api) == [task for task in before for _ in range(2)]


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
CELLS = st.sampled_from(["'", "=", "+", "-", "@", "\t", "\r", "\n", '"', ",", ";", "a", "\ufeff"])
TRICKY = st.lists(CELLS, max_size=6).map("".join) | TEXT
TASKS = st.lists(
    st.fixed_dictionaries(
        {
            "title": TRICKY.map(str.strip).filter(bool).filter(follows(text_rules.line)),
            "description": TRICKY.filter(follows(text_rules.long)),
        },
        optional={"labels": st.lists(st.sampled_from(["=a", "'=b", "'c", "d e"]), unique=True)},
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=25)
@given(values=TASKS, kind=st.sampled_from(["csv", "ndjson"]))
@example(values=[{"title": "''=1", "description": "''\t"}], kind="csv")
def test_any_text_survives_export_and_import(
    app: Flask, ann_api: Api, bob_api: Api, values: list[dict[str, Any]], kind: str
) -> None:
    operations = [{"op": "create", "data": data} for data in values]
    assert ann_api.post("/tasks/bulk", {"operations": operations}).status_code == 200
    take_in(bob_api, kind, export(ann_api, f"format={kind}&sort=created_at"))
    before, after = kept(ann_api), kept(bob_api)
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(delete(Task))
    assert after == before


def test_apostrophe_of_an_export_comes_off_again(ann_api: Api) -> None:
    take_in(ann_api, "csv", "title\n'=1+1\n'plain\n''@x\n=2\n")
    assert [task["title"] for task in kept(ann_api)] == ["=1+1", "'plain", "'@x", "=2"]


def test_what_is_read_only_is_passed_over(ann: Actor, ann_api: Api, bob: Actor) -> None:
    header = "id,title,owner_id,updated_at"
    take_in(ann_api, "csv", f"{header}\n{MISSING},x,{bob.id},nonsense\n")
    line = {"id": 17, "title": "x", "owner_id": bob.id, "updated_at": []}
    take_in(ann_api, "ndjson", json.dumps(line))
    for task in ann_api.get("/tasks").get_json()["items"]:
        assert (task["owner_id"], task["version"]) == (ann.id, 1)
        assert task["id"] != MISSING


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("csv", "title\n"),
        ("csv", "title"),
        ("csv", "\ufefftitle\n\n\n"),
        ("ndjson", ""),
        ("ndjson", "\n \n\r\n"),
    ],
)
def test_file_without_tasks_makes_none(ann_api: Api, kind: str, content: str) -> None:
    assert take_in(ann_api, kind, content) == 0


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("csv", "\ufefftitle\r\na\r\n\r\nb"),
        ("csv", 'title\n"a"\nb\n'),
        ("csv", "title\ra\rb\r"),
        ("ndjson", '\ufeff{"title": "a"}\r\n\r\n{"title": "b"}'),
        ("ndjson", '{"title": "a"}\n  {"title": "b"}  \n'),
    ],
)
def test_file_of_another_system_is_read(ann_api: Api, kind: str, content: str) -> None:
    assert take_in(ann_api, kind, content) == 2
    assert [task["title"] for task in kept(ann_api)] == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "faults"),
    [
        ("", [(1, "/title")]),
        ("name\nx\n", [(1, "/name"), (1, "/title")]),
        ("title,title\nx,y\n", [(1, "/title")]),
        ("title,extra\nx,y\n", [(1, "/extra")]),
        ("title;a/b\nx;y\n", [(1, "/a~1b")]),
        ("sep=;\ntitle;extra\nx;y\n", [(2, "/extra")]),
        ("title,labels\n ,a\n", [(2, "/title")]),
        ("title\na\n\n" + "x" * 201, [(4, "/title")]),
        ('description,title\n"a\nb",c\nd,\n', [(4, "/title")]),
        ("title,status,priority\na,todo,low\nb,x,y\n", [(3, "/status"), (3, "/priority")]),
        ("title,due_at\na,tomorrow\nb,2030-01-01T00:00:00\n", [(2, "/due_at"), (3, "/due_at")]),
        ("title,labels\na,b;;c\n", [(2, "/labels")]),
        ("title,status\na,todo\nb\nc,todo,e\n", [(4, "")]),
        ("title,,status\na,x,todo\nb,,todo\n", [(2, "")]),
        ('sep=;\n\ndescription;title;status\n"a\nb";x;todo\n;;\n"c\nd";y;x\n', [(7, "/status")]),
        ("title\na\nb\0c\n", [(3, "")]),
        ('title\na\n"b\n', [(3, "")]),
        ('title\na\n"b"c\n', [(3, "")]),
        ("title\n" + "x" * 200_000, [(2, "")]),
    ],
)
def test_fault_in_csv_is_told_by_its_line(
    ann_api: Api, content: str, faults: list[tuple[int, str]]
) -> None:
    assert refused(send(ann_api, "csv", content)) == faults
    assert kept(ann_api) == []


@pytest.mark.parametrize(
    ("line", "faults"),
    [
        ("{}", [(3, "/title")]),
        ('{"title": ""}', [(3, "/title")]),
        ('{"title": 1, "labels": "a;b"}', [(3, "/labels"), (3, "/title")]),
        ('{"title": "x", "status": null}', [(3, "/status")]),
        ('{"title": "x", "extra": 1}', [(3, "/extra")]),
        ('{"title": "x", "a/b": 1}', [(3, "/a~1b")]),
        ('{"title": "x\\u0000"}', [(3, "/title")]),
        ('{"title": "\\ud800"}', [(3, "/title")]),
        ('{"title": "x", "title": "y"}', [(3, "")]),
        ('{"title": NaN}', [(3, "")]),
        ('{"title": "x"', [(3, "")]),
        ('{"title": "x"} {}', [(3, "")]),
        ("[]", [(3, "")]),
        ('"x"', [(3, "")]),
        ("null", [(3, "")]),
        ("[" * 100_000, [(3, "")]),
        ('{"title": "x", "assignee_id": 17}', [(3, "/assignee_id")]),
        ('{"title": "x", "assignee": ["bob"]}', [(3, "/assignee")]),
    ],
)
def test_fault_in_ndjson_is_told_by_its_line(
    ann_api: Api, line: str, faults: list[tuple[int, str]]
) -> None:
    content = f'{{"title": "a"}}\n\n{line}\n{{"title": "b"}}\n'
    assert sorted(refused(send(ann_api, "ndjson", content))) == faults
    assert kept(ann_api) == []


def test_no_more_than_a_hundred_faults_are_told(ann_api: Api) -> None:
    answer = send(ann_api, "csv", "title,labels\n" + " ,a\n" * 300)
    assert refused(answer) == [(line, "/title") for line in range(2, 102)]


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "text/csv2", "", None])
def test_another_type_is_refused(ann_api: Api, content_type: str | None) -> None:
    answer = ann_api.call("POST", "/tasks/import", data="title\n", content_type=content_type)
    assert slug_of(answer) == (415, "unsupported-media-type")


def test_charset_of_the_type_does_not_matter(ann_api: Api) -> None:
    options: dict[str, Any] = {"data": "title\nx\n", "content_type": "Text/CSV; charset=UTF-8"}
    assert ann_api.call("POST", "/tasks/import", **options).status_code == 201


def test_ten_mebibytes_are_taken_and_no_byte_more(ann_api: Api) -> None:
    line = '{"title": "x"}'
    assert take_in(ann_api, "ndjson", line.ljust(10 * MIB)) == 1
    answer = send(ann_api, "ndjson", line.ljust(10 * MIB + 1))
    assert slug_of(answer) == (413, "content-too-large")
    assert len(kept(ann_api)) == 1


def test_number_of_tasks_has_an_end(ann_api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_import, "ROWS_MAX", 3)
    assert take_in(ann_api, "csv", "title\na\nb\nc\n") == 3
    assert refused(send(ann_api, "csv", "title\na\nb\nc\nd\ne\n")) == [(5, "")]
    assert len(kept(ann_api)) == 3


def test_rows_of_many_batches_are_made_in_order_with_an_event_each(
    app: Flask, ann: Actor, ann_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task_import, "BATCH", 3)
    names = [f"{number:02}" for number in range(8)]
    lines = [f"{name},done,{name};b" for name in names]
    assert take_in(ann_api, "csv", "\n".join(["title,status,labels", *lines])) == 8
    with app.app_context():
        tasks, trail = rows(Task), events("task.created")
    assert [task.title for task in tasks] == names
    assert {(task.owner_id, task.version, task.priority) for task in tasks} == {
        (ann.id, 1, "normal")
    }
    assert all(task.completed_at == task.created_at for task in tasks)
    assert [event.target_id for event in trail] == [task.id for task in tasks]
    changes = {"title": [None, "07"], "status": [None, "done"], "labels": [None, ["07", "b"]]}
    assert trail[-1].changes == changes


def test_fault_in_a_later_batch_leaves_nothing_of_the_earlier_ones(
    app: Flask, ann_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task_import, "BATCH", 2)
    lines = ["title,status", "a,", "b,", "c,", "d,x", "e,x"]
    assert refused(send(ann_api, "csv", "\n".join(lines))) == [(5, "/status"), (6, "/status")]
    with app.app_context():
        assert (rows(Task), events("task.created")) == ([], [])


def test_a_thousand_rows_take_a_few_statements(
    app: Flask, ann: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = []
    execute = RequestConnection.execute

    def counted(link: RequestConnection, sql: str, *given: Any) -> Any:
        sent.append(sql[:20])
        return execute(link, sql, *given)

    monkeypatch.setattr(RequestConnection, "execute", counted)
    with app.app_context():
        values = {"title": "x", "assignee_id": ann.id}
        made = (task_import.Row(number, values) for number in range(1000))
        assert task_import.import_tasks(ann, made).created == 1000
        assert len(rows(Task)) == 1000
    assert len(sent) <= 10


def test_import_takes_no_query(ann_api: Api) -> None:
    answer = ann_api.call("POST", "/tasks/import?dry=1", data="title", content_type="text/csv")
    assert slug_of(answer) == (422, "invalid-parameter")
