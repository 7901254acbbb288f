"""The list's bulk form changes all selected tasks, or none."""

import pytest
from flask import Flask

from app.models import Task
from app.services.shared.actor import Actor
from app.services.tasks.bulk import OPERATIONS_MAX
from tests.pages.test_tasks_pages import make
from tests.support.answers import MISSING
from tests.support.clients import Browser
from tests.support.rows import rows


def states(app: Flask) -> list[tuple[str, str, bool]]:
    """Return title and status of each task, and True for a task in the trash."""
    with app.app_context():
        return sorted((row.title, row.status, row.deleted_at is not None) for row in rows(Task))


@pytest.mark.parametrize(
    ("op", "state", "told"),
    [
        ("done", ("done", False), "2 tasks are marked as done."),
        ("todo", ("todo", False), "2 tasks are open again."),
        ("delete", ("in_progress", True), "2 tasks are moved to the trash."),
    ],
)
def test_one_form_changes_all_that_is_ticked(
    app: Flask, ann: Actor, ann_browser: Browser, op: str, state: tuple[str, bool], told: str
) -> None:
    first, second, _ = (make(app, ann, title, status="in_progress") for title in "abc")
    ids = [first.id, second.id.upper(), first.id]
    fields = {"op": op, "id": ids, "next": "/tasks?q=milk"}
    answer = ann_browser.post("/tasks/bulk", fields, form="/tasks")
    assert (answer.status_code, answer.location) == (303, "/tasks?q=milk")
    assert states(app) == [("a", *state), ("b", *state), ("c", "in_progress", False)]
    assert told in ann_browser.get("/tasks").text


def test_each_row_has_a_box_of_the_form(app: Flask, ann: Actor, ann_browser: Browser) -> None:
    task = make(app, ann, '"quoted"')
    page = ann_browser.get("/tasks").text
    assert f'<input type="checkbox" form="bulk" name="id" value="{task.id}"' in page
    assert "Select: &#34;quoted&#34;" in page


def test_where_one_may_not_be_deleted_none_is(
    app: Flask, ann: Actor, bob: Actor, bob_browser: Browser
) -> None:
    own = make(app, bob, "Own")
    given = make(app, ann, "Given", assignee_id=bob.id)
    bob_browser.post("/tasks/bulk", {"op": "delete", "id": [own.id, given.id]})
    assert states(app) == [("Given", "todo", False), ("Own", "todo", False)]
    page = bob_browser.get("/tasks").text
    assert "Nothing was changed. Only the owner of a task may delete it. The task is: Given" in page


def test_a_stranger_s_task_is_as_one_that_is_not_there(
    app: Flask, ann: Actor, bob: Actor, bob_browser: Browser
) -> None:
    own, hidden = make(app, bob, "Own"), make(app, ann, "Hidden")
    for task_id in (hidden.id, MISSING):
        bob_browser.post("/tasks/bulk", {"op": "done", "id": [own.id, task_id]}, form="/tasks")
        page = bob_browser.get("/tasks").text
        assert "Nothing was changed. There is no such task." in page
        assert "Hidden" not in page
    assert states(app) == [("Hidden", "todo", False), ("Own", "todo", False)]


def test_nothing_ticked_is_told(ann_browser: Browser) -> None:
    assert ann_browser.post("/tasks/bulk", {"op": "done"}).status_code == 303
    assert "Tick the tasks first." in ann_browser.get("/tasks").text


@pytest.mark.parametrize(
    "fields",
    [
        {"op": "evil", "id": MISSING},
        {"id": MISSING},
        {"op": "done", "id": "x"},
        {"op": "done", "id": "a\0b"},
        {"op": "done", "id": [MISSING[:-4] + f"{n:04x}" for n in range(OPERATIONS_MAX + 1)]},
    ],
)
def test_what_the_list_never_sends_is_refused(
    ann_browser: Browser, fields: dict[str, object]
) -> None:
    assert ann_browser.post("/tasks/bulk", fields).status_code == 422
