"""The pages of tasks: the list, a task, its creation and change, the trash."""

import re
from typing import Any

import pytest
from flask import Flask

from app.models import Task
from app.services.shared.actor import Actor
from app.services.tasks import tasks
from tests.support.answers import MISSING
from tests.support.clients import Browser
from tests.support.rows import rows

ODD_QUERIES = [
    "status=evil&status=todo",
    "sort=evil",
    "sort=-",
    "q=%00",
    "q=%25_%5C",
    "q=" + "x" * 5000,
    "label=%00,,a",
    "overdue=maybe",
    "priority=9",
    "q=%ED%A0%80",
    "evil=1",
]


def make(app: Flask, actor: Actor, title: str = "Buy milk", **values: Any) -> Task:
    with app.app_context():
        return tasks.create(actor, {"title": title, **values})


def read(app: Flask, actor: Actor, task_id: str) -> Task:
    with app.app_context():
        return tasks.get(actor, task_id)


def titles(page: str) -> list[str]:
    return re.findall(r'class="task-title"[^>]*>([^<]*)<', page)


def test_a_task_is_made_with_all_that_was_typed(
    app: Flask, ann: Actor, bob: Actor, ann_browser: Browser
) -> None:
    typed = {
        "title": "  Buy milk ",
        "description": "one\r\ntwo",
        "status": "in_progress",
        "priority": "high",
        "due_at": "2030-01-31T12:30",
        "labels": "shop, Home,shop ,",
        "assignee": "BOB",
    }
    task = read(app, ann, ann_browser.post("/tasks/new", typed).location.removeprefix("/tasks/"))
    assert (task.title, task.description) == ("Buy milk", "one\ntwo")
    assert (task.status, task.priority, task.labels) == ("in_progress", "high", ["shop", "Home"])
    assert str(task.due_at) == "2030-01-31 12:30:00+00:00"
    assert task.assignee_id == bob.id


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", " "),
        ("title", "x" * 201),
        ("title", "a\0b"),
        ("description", "x" * 10_001),
        ("status", "evil"),
        ("priority", ""),
        ("due_at", "tomorrow"),
        ("due_at", "0001-01-01T00:00+23:00"),
        ("labels", "x" * 51),
        ("labels", ",".join(map(str, range(21)))),
        ("assignee", "nobody"),
    ],
)
def test_a_refusal_stands_beside_its_field(
    app: Flask, ann_browser: Browser, field: str, value: str
) -> None:
    answer = ann_browser.post("/tasks/new", {"title": "Buy milk", field: value})
    assert answer.status_code == 422
    assert f'id="error-{field}"' in answer.text
    with app.app_context():
        assert rows(Task) == []


def test_quick_add_leads_back_to_the_list(ann_browser: Browser) -> None:
    answer = ann_browser.post("/tasks/new", {"title": "Milk", "next": "/tasks?status=todo"})
    assert answer.location == "/tasks?status=todo"
    assert titles(ann_browser.get("/tasks?status=todo").text) == ["Milk"]


def test_the_list_filters_searches_and_sorts(app: Flask, ann: Actor, ann_browser: Browser) -> None:
    make(app, ann, "Buy milk", priority="urgent", labels=["Shop"])
    make(app, ann, "Paint the fence", status="done")
    make(app, ann, "Sell milk")
    assert titles(ann_browser.get("/tasks?q=milk&sort=title").text) == ["Buy milk", "Sell milk"]
    assert titles(ann_browser.get("/tasks?label=shop").text) == ["Buy milk"]
    assert titles(ann_browser.get("/tasks?status=done&status=todo&priority=normal").text) == [
        "Sell milk",
        "Paint the fence",
    ]


def test_a_list_is_read_to_its_end_by_its_next_links(
    app: Flask, ann: Actor, ann_browser: Browser
) -> None:
    for number in range(45):
        make(app, ann, f"Task {number}")
    seen, path = [], "/tasks?sort=due_at"
    while path:
        page = ann_browser.get(path).text
        seen += titles(page)
        found = re.search(r'rel="next" href="([^"]+)"', page)
        path = found[1].replace("&amp;", "&") if found else ""
    assert sorted(seen) == sorted(f"Task {number}" for number in range(45))


@pytest.mark.parametrize("path", ["/tasks", "/tasks/board"])
def test_assignee_and_priority_are_two_words(
    app: Flask, ann: Actor, ann_browser: Browser, path: str
) -> None:
    make(app, ann, assignee_id=ann.id, priority="high")
    text = re.sub("<[^>]*>", "", ann_browser.get(path).text)
    assert "ann High" in " ".join(text.split())


@pytest.mark.parametrize("query", ODD_QUERIES)
def test_an_odd_query_is_passed_over(ann_browser: Browser, query: str) -> None:
    assert ann_browser.get(f"/tasks?{query}").status_code == 200


@pytest.mark.parametrize("path", ["/tasks", "/tasks/trash"])
def test_a_foreign_cursor_shows_the_first_page(ann_browser: Browser, path: str) -> None:
    page = ann_browser.get(f"{path}?cursor=AAAA").text
    assert "This is the first page." in page
    assert "cursor=AAAA" not in page


def test_the_page_of_a_task_tells_its_history(app: Flask, ann: Actor, ann_browser: Browser) -> None:
    task = make(app, ann, "<b>bold</b>", labels=["a"])
    ann_browser.post(f"/tasks/{task.id}/edit", {"version": 1, "status": "done", "assignee": "ann"})
    page = ann_browser.get(f"/tasks/{task.id}").text
    assert "&lt;b&gt;bold&lt;/b&gt;" in page
    assert "Assignee:" in page
    assert "created the task" in page


def test_ticking_twice_by_the_same_button_does_it_once(
    app: Flask, ann: Actor, ann_browser: Browser
) -> None:
    task = make(app, ann)
    for _ in range(2):
        ann_browser.post(f"/tasks/{task.id}/complete", {"status": "done"})
    assert read(app, ann, task.id).status == "done"
    ann_browser.post(f"/tasks/{task.id}/complete")
    assert read(app, ann, task.id).status == "todo"


def test_what_is_not_touched_stays_as_it_is(app: Flask, ann: Actor, ann_browser: Browser) -> None:
    task = make(app, ann, labels=["a, b"])
    page = ann_browser.get(f"/tasks/{task.id}/edit").text
    assert 'value="a, b; "' in page
    ann_browser.post(f"/tasks/{task.id}/edit", {"version": 1, "labels": "a, b; ", "title": "New"})
    assert read(app, ann, task.id).labels == ["a, b"]


@pytest.mark.parametrize("version", ["1", "0", "", "x", "9" * 5000, "\u0661"])
def test_an_edit_over_a_newer_one_shows_both_and_loses_neither(
    app: Flask, ann: Actor, ann_browser: Browser, version: str
) -> None:
    path = f"/tasks/{make(app, ann).id}"
    ann_browser.post(f"{path}/edit", {"version": 1, "title": "Theirs", "description": "Long"})
    mine = {"version": version, "title": "Mine", "description": "", "labels": "kept"}
    answer = ann_browser.post(f"{path}/edit", mine)
    assert answer.status_code == 412
    assert 'value="Mine"' in answer.text
    assert "<pre>Theirs</pre>" in answer.text
    assert 'name="version" value="2"' in answer.text
    ann_browser.post(f"{path}/edit", {**mine, "version": 2, "take": "description"})
    task = read(app, ann, path.removeprefix("/tasks/"))
    assert (task.title, task.description, task.labels) == ("Mine", "Long", ["kept"])


def test_an_edit_that_fails_stays_bound_to_the_version_it_began_with(
    app: Flask, ann: Actor, ann_browser: Browser
) -> None:
    path = f"/tasks/{make(app, ann).id}/edit"
    ann_browser.post(path, {"version": 1, "title": "Theirs"})
    assert 'name="version" value="1"' in ann_browser.post(path, {"version": 1, "title": ""}).text


def test_the_assignee_edits_and_neither_hands_on_nor_deletes(
    app: Flask, ann: Actor, bob: Actor, bob_browser: Browser
) -> None:
    path = f"/tasks/{make(app, ann, assignee_id=bob.id).id}"
    assert re.search(r"<input[^>]*disabled[^>]*assignee", bob_browser.get(f"{path}/edit").text)
    assert "/delete" not in bob_browser.get(path).text
    assert bob_browser.post(f"{path}/edit", {"version": 1, "title": "Bob's"}).status_code == 303
    assert bob_browser.post(f"{path}/edit", {"version": 2, "assignee": ""}).status_code == 403
    assert bob_browser.post(f"{path}/delete").status_code == 403


def test_a_task_goes_to_the_trash_and_back(app: Flask, ann: Actor, ann_browser: Browser) -> None:
    path = f"/tasks/{make(app, ann).id}"
    assert ann_browser.post(f"{path}/delete").location == "/tasks"
    assert ann_browser.get(path).status_code == 404
    assert "Buy milk" in ann_browser.get("/tasks/trash").text
    assert ann_browser.post(f"{path}/restore").location == path
    assert ann_browser.get(path).status_code == 200


@pytest.mark.parametrize("end", ["", "/edit"])
def test_a_stranger_s_task_is_as_one_that_is_not_there(
    app: Flask, ann: Actor, bob_browser: Browser, end: str
) -> None:
    task = make(app, ann)
    for task_id in (task.id, MISSING):
        assert bob_browser.get(f"/tasks/{task_id}{end}").status_code == 404


@pytest.mark.parametrize("act", ["edit", "complete", "delete", "restore"])
def test_a_stranger_changes_nothing(app: Flask, ann: Actor, bob_browser: Browser, act: str) -> None:
    task = make(app, ann)
    assert bob_browser.post(f"/tasks/{task.id}/{act}", {"version": 1}).status_code == 404
    assert read(app, ann, task.id).version == 1
