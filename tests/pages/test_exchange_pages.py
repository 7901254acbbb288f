"""The pages to export the list of tasks to a file, and to import a file."""

import csv
import io
import re

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.models import Task
from app.models.types import uuid7
from app.schemas.task_files import SIZE_MAX
from app.services.shared.actor import Actor
from tests.pages.test_tasks_pages import make
from tests.support.clients import Browser
from tests.support.rows import rows

CSV = b"title,labels\nBuy milk,shop;home\n'=1+1,\n"
NDJSON = b'{"title": "Buy milk"}\n\n{"title": "Sell milk", "priority": "high"}\n'


def upload(
    browser: Browser, content: bytes, name: str = "tasks.csv", form_id: str = ""
) -> TestResponse:
    """Upload a file as a browser does. Werkzeug's client would leave a large file open."""
    if "csrf_token" not in browser.get("/tasks/import").text:
        browser.get("/auth/login")
    lines = (
        b"--x",
        b'Content-Disposition: form-data; name="csrf_token"',
        b"",
        browser.csrf_token.encode(),
        b"--x",
        b'Content-Disposition: form-data; name="form_id"',
        b"",
        form_id.encode(),
        b"--x",
        f'Content-Disposition: form-data; name="file"; filename="{name}"'.encode(),
        b"Content-Type: application/octet-stream",
        b"",
        content,
        b"--x--",
        b"",
    )
    kind = "multipart/form-data; boundary=x"
    return browser.client.post("/tasks/import", data=b"\r\n".join(lines), content_type=kind)


def titles(app: Flask) -> list[str]:
    with app.app_context():
        return sorted(row.title for row in rows(Task))


def faults(page: str) -> list[tuple[str, str]]:
    """Return line and column of each row in the table of faults."""
    cells = re.findall(r'data-label="(?:Line|Column)">(?:<[^>]+>)?([^<]*)<', page)
    return list(zip(cells[::2], cells[1::2], strict=True))


@pytest.mark.parametrize(
    ("name", "content", "made"),
    [
        ("tasks.csv", CSV, ["=1+1", "Buy milk"]),
        ("TASKS.CSV", b"\xef\xbb\xbf" + CSV, ["=1+1", "Buy milk"]),
        ("tasks.ndjson", NDJSON, ["Buy milk", "Sell milk"]),
        ("a.b.jsonl", NDJSON, ["Buy milk", "Sell milk"]),
    ],
)
def test_a_file_becomes_tasks(
    app: Flask, ann_browser: Browser, name: str, content: bytes, made: list[str]
) -> None:
    answer = upload(ann_browser, content, name)
    assert (answer.status_code, answer.location) == (303, "/tasks")
    assert titles(app) == made
    assert "2 tasks imported." in ann_browser.get("/tasks").text


def test_faults_are_told_by_line_and_nothing_is_made(app: Flask, ann_browser: Browser) -> None:
    content = b"title,status,assignee_id\nMilk,,\n,evil,\nMilk,todo,,x\n"
    answer = upload(ann_browser, content)
    assert answer.status_code == 422
    assert faults(answer.text) == [("3", "title"), ("3", "status"), ("4", "all")]
    assert titles(app) == []


def test_assignee_who_is_not_there_is_left_out_and_told(
    app: Flask, ann: Actor, ann_browser: Browser
) -> None:
    content = f"title,assignee\nMilk,{ann.username}\nBread,<b>carol\n".encode()
    answer = upload(ann_browser, content)
    assert answer.status_code == 200
    assert "2 tasks imported" in answer.text
    assert faults(answer.text) == [("3", "assignee")]
    assert "&lt;b&gt;carol" in answer.text
    assert titles(app) == ["Bread", "Milk"]


def test_no_more_than_a_hundred_warnings_are_shown(ann_browser: Browser) -> None:
    answer = upload(ann_browser, b"title,assignee\n" + b"Milk,carol\n" * 107)
    assert len(faults(answer.text)) == 100
    assert "And 7 more." in answer.text


@pytest.mark.parametrize("content", [b"title\nMilk\n", b"title,assignee\nMilk,carol\n"])
def test_import_that_is_sent_twice_is_made_once(
    app: Flask, ann_browser: Browser, content: bytes
) -> None:
    form_id = uuid7()
    answers = [upload(ann_browser, content, form_id=form_id) for _ in range(2)]
    assert answers[0].status_code == answers[1].status_code
    assert titles(app) == ["Milk"]
    upload(ann_browser, content + b"Bread\n", form_id=form_id)  # another file
    assert len(titles(app)) == 3


def test_form_of_an_import_has_its_own_id(ann_browser: Browser) -> None:
    assert 'name="form_id"' in ann_browser.get("/tasks/import").text


def test_file_that_cannot_be_read_is_told_by_what_it_is(ann_browser: Browser) -> None:
    answer = upload(ann_browser, "title\nM\u00fcll\n".encode("cp1252"))
    assert answer.status_code == 422
    assert "encoded as Windows-1252" in answer.text


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("", b""),
        ("tasks.txt", CSV),
        ("tasks", CSV),
        ("tasks.csv", b"\xff"),
        ("tasks.csv", b""),
        ("tasks.csv", b"name\nMilk\n"),
        ("tasks.csv", b"title\na\0b\n"),
        ("tasks.csv", b'title\n"Milk\n'),
        ("tasks.ndjson", b"[]\n"),
        ("tasks.ndjson", b"{\n"),
        ("tasks.ndjson", b'{"title": "a\\u0000b"}\n'),
        ("tasks.ndjson", b'{"title": "Milk", "evil": 1}\n'),
    ],
)
def test_a_file_that_does_not_do_is_refused_beside_the_field(
    app: Flask, ann_browser: Browser, name: str, content: bytes
) -> None:
    answer = upload(ann_browser, content, name)
    assert answer.status_code == 422
    assert 'id="error-file"' in answer.text
    assert titles(app) == []


def test_no_file_at_all_is_told(ann_browser: Browser) -> None:
    answer = ann_browser.post("/tasks/import", {"file": "text"}, form="/tasks/import")
    assert "Choose a file." in answer.text


@pytest.mark.slow
def test_a_file_may_have_ten_mebibytes(app: Flask, ann_browser: Browser) -> None:
    head = b"title\nMilk\n"
    assert upload(ann_browser, head + b"\n" * (SIZE_MAX - len(head))).status_code == 303
    assert upload(ann_browser, b"\n" * (SIZE_MAX + 2**17)).status_code == 413
    assert titles(app) == ["Milk"]


def test_a_stranger_sends_no_large_file(browser: Browser) -> None:
    assert upload(browser, b"\n" * 2**21).status_code == 413


def test_no_other_page_takes_a_large_form(ann_browser: Browser) -> None:
    fields = {"title": "x" * 2**21}
    assert ann_browser.post("/tasks/new", fields, form="/tasks/new").status_code == 413


def test_an_import_takes_a_csrf_token(app: Flask, ann_browser: Browser) -> None:
    data = {"file": (io.BytesIO(CSV), "tasks.csv")}
    assert ann_browser.client.post("/tasks/import", data=data).status_code == 400
    assert titles(app) == []


def test_an_export_holds_what_the_list_shows(
    app: Flask, ann: Actor, bob: Actor, ann_browser: Browser
) -> None:
    make(app, ann, "=milk", labels=["a", "b"])
    make(app, ann, "Sell milk", status="done")
    make(app, bob, "Bob's milk")
    page = ann_browser.get("/tasks?q=milk&status=todo&status=done&sort=title").text
    found = re.search(r'href="(/tasks/export[^"]*)"', page)
    assert found
    answer = ann_browser.get(found[1].replace("&amp;", "&"))
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="tasks.csv"'
    lines = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(line["title"], line["labels"]) for line in lines] == [
        ("'=milk", "a;b"),
        ("Sell milk", ""),
    ]


def test_an_admin_exports_their_own_list_and_no_other(
    app: Flask, ann: Actor, root_browser: Browser
) -> None:
    make(app, ann, "Ann's milk")
    assert "Ann" not in root_browser.get("/tasks/export").text


def test_an_export_can_be_imported(app: Flask, ann: Actor, ann_browser: Browser) -> None:
    make(app, ann, "'=1+1", description="one\ntwo", labels=["a"], status="done")
    content = ann_browser.get("/tasks/export").data
    assert upload(ann_browser, content).status_code == 303
    assert titles(app) == ["'=1+1", "'=1+1"]


@pytest.mark.parametrize("query", ["sort=evil", "cursor=AAAA", "evil=1"])
def test_an_odd_query_is_passed_over(ann_browser: Browser, query: str) -> None:
    assert ann_browser.get(f"/tasks/export?{query}").status_code == 200
