"""Tasks by the API, one at a time."""

import re
from typing import Any

import pytest

from app.services.shared.actor import Actor
from tests.support.answers import MISSING, blamed, slug_of, without_request
from tests.support.clients import Api

DEFAULTS: dict[str, Any] = {
    "description": "",
    "status": "todo",
    "priority": "normal",
    "due_at": None,
    "labels": [],
    "assignee_id": None,
    "completed_at": None,
    "version": 1,
}
FULL: dict[str, Any] = {
    "title": "Water the plums",
    "description": "All of them.",
    "status": "in_progress",
    "priority": "high",
    "due_at": "2026-08-01T06:00:00Z",
    "labels": ["garden", "Summer"],
    "assignee_id": None,
}
READ_ONLY: dict[str, Any] = {
    "id": MISSING,
    "owner_id": MISSING,
    "user_id": MISSING,
    "version": 9,
    "completed_at": "2026-01-01T00:00:00Z",
    "created_at": "2026-01-01T00:00:00Z",
    "updated_at": "2026-01-01T00:00:00Z",
    "deleted_at": None,
    "label_keys": [],
    "Title": "x",
}
MERGE_PATCH = {"Content-Type": "application/merge-patch+json"}


def make(api: Api, **values: Any) -> dict[str, Any]:
    answer = api.post("/tasks", {"title": "Water the plums", **values})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.get_json()
    return made


def patch(api: Api, task: dict[str, Any], **changes: Any) -> dict[str, Any]:
    answer = api.patch(f"/tasks/{task['id']}", changes)
    assert answer.status_code == 200, answer.text
    changed: dict[str, Any] = answer.get_json()
    return changed


def test_title_is_enough_to_make_a_task(ann_api: Api, ann: Actor) -> None:
    task = make(ann_api)
    assert task.items() >= {**DEFAULTS, "title": "Water the plums", "owner_id": ann.id}.items()
    assert task["created_at"] == task["updated_at"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", task["created_at"])


def test_id_of_a_task_is_a_uuid_of_version_7(ann_api: Api) -> None:
    assert re.fullmatch(
        r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f-]*", make(ann_api)["id"]
    )


def test_new_task_is_found_where_location_says(ann_api: Api) -> None:
    made = ann_api.post("/tasks", FULL)
    found = ann_api.get(made.headers["Location"])
    assert found.get_json() == made.get_json()
    assert found.headers["ETag"] == made.headers["ETag"]
    assert made.get_json().items() >= FULL.items()


def test_id_in_capitals_names_the_same_task(ann_api: Api) -> None:
    task = make(ann_api)
    assert ann_api.get(f"/tasks/{task['id'].upper()}").get_json() == task


@pytest.mark.parametrize(
    ("values", "pointer"),
    [
        ({"title": ""}, "/title"),
        ({"title": " \t\u2003"}, "/title"),
        ({"title": "x" * 201}, "/title"),
        ({"title": None}, "/title"),
        ({"title": 7}, "/title"),
        ({"title": ["x"]}, "/title"),
        ({"description": "x" * 10_001}, "/description"),
        ({"description": False}, "/description"),
        ({"status": "finished"}, "/status"),
        ({"status": None}, "/status"),
        ({"status": "Done"}, "/status"),
        ({"priority": None}, "/priority"),
        ({"priority": 2}, "/priority"),
        ({"due_at": "2026-08-01T06:00:00"}, "/due_at"),
        ({"due_at": "2026-08-01"}, "/due_at"),
        ({"due_at": "2026-02-30T06:00:00Z"}, "/due_at"),
        ({"due_at": "2026-08-01 06:00:00Z"}, "/due_at"),
        ({"due_at": "\u0662026-08-01T06:00:00Z"}, "/due_at"),
        ({"due_at": "0001-01-01T00:00:00+01:00"}, "/due_at"),
        ({"due_at": 1785564000}, "/due_at"),
        ({"labels": "garden"}, "/labels"),
        ({"labels": {"0": "garden"}}, "/labels"),
        ({"labels": [""]}, "/labels"),
        ({"labels": ["x" * 51]}, "/labels"),
        ({"labels": ["a;b"]}, "/labels"),
        ({"labels": ["a\tb"]}, "/labels"),
        ({"labels": [str(number) for number in range(21)]}, "/labels"),
        ({"labels": ["a", None]}, "/labels/1"),
        ({"labels": ["a", 1]}, "/labels/1"),
        ({"assignee_id": "ann"}, "/assignee_id"),
        ({"assignee_id": MISSING}, "/assignee_id"),
        *(({name: value}, f"/{name}") for name, value in READ_ONLY.items()),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_bad_value_is_refused_by_its_pointer(
    ann_api: Api, method: str, values: dict[str, Any], pointer: str
) -> None:
    task = make(ann_api)
    path = "/tasks" if method == "POST" else f"/tasks/{task['id']}"
    answer = ann_api.call(method, path, json={"title": "Other", **values})
    assert (slug_of(answer), blamed(answer)) == ((422, "invalid"), [pointer])
    assert ann_api.get(f"/tasks/{task['id']}").get_json() == task


def test_all_that_is_wrong_is_told_at_once(ann_api: Api) -> None:
    answer = ann_api.post("/tasks", {"status": "x", "priority": "y", "colour": "red"})
    assert sorted(blamed(answer)) == ["/colour", "/priority", "/status", "/title"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"title": "  Prune \n"}, {"title": "Prune"}),
        ({"title": "\U0001f350" * 200}, {"title": "\U0001f350" * 200}),
        ({"description": "  as it is \n"}, {"description": "  as it is \n"}),
        ({"labels": [" a ", "A", "\u00df", "ss", "b"]}, {"labels": ["a", "\u00df", "b"]}),
        ({"due_at": "2026-08-01T08:30:00+02:30"}, {"due_at": "2026-08-01T06:00:00Z"}),
        ({"due_at": "2026-08-01t06:00:00.250000z"}, {"due_at": "2026-08-01T06:00:00.250000Z"}),
        ({"due_at": "9999-12-31T23:59:59Z"}, {"due_at": "9999-12-31T23:59:59Z"}),
        ({"due_at": "0001-01-01T00:00:00Z"}, {"due_at": "0001-01-01T00:00:00Z"}),
        ({"description": None, "labels": None, "due_at": None, "assignee_id": None}, DEFAULTS),
    ],
)
def test_value_is_kept_in_its_plain_form(
    ann_api: Api, given: dict[str, Any], kept: dict[str, Any]
) -> None:
    assert make(ann_api, **given).items() >= kept.items()


def test_put_turns_what_it_leaves_out_back_to_its_default(ann_api: Api) -> None:
    task = make(ann_api, **FULL)
    answer = ann_api.put(f"/tasks/{task['id']}", {"title": "Prune"})
    changed = {**DEFAULTS, "title": "Prune", "version": 2}
    assert answer.get_json().items() >= changed.items()


def test_put_needs_a_title(ann_api: Api) -> None:
    assert blamed(ann_api.put(f"/tasks/{make(ann_api)['id']}", {})) == ["/title"]


@pytest.mark.parametrize("headers", [{}, MERGE_PATCH])
def test_patch_leaves_what_it_does_not_name(ann_api: Api, headers: dict[str, str]) -> None:
    task = make(ann_api, **FULL)
    answer = ann_api.patch(f"/tasks/{task['id']}", {"priority": "low"}, headers=headers)
    assert answer.get_json().items() >= {**FULL, "priority": "low"}.items()


@pytest.mark.parametrize("headers", [{}, MERGE_PATCH])
def test_null_in_a_patch_clears(ann_api: Api, ann: Actor, headers: dict[str, str]) -> None:
    task = make(ann_api, **{**FULL, "assignee_id": ann.id})
    nulls = dict.fromkeys(("description", "labels", "due_at", "assignee_id"))
    answer = ann_api.patch(f"/tasks/{task['id']}", nulls, headers=headers)
    cleared = {name: DEFAULTS[name] for name in nulls}
    assert answer.get_json().items() >= cleared.items()


def test_list_in_a_patch_replaces_the_list(ann_api: Api) -> None:
    assert patch(ann_api, make(ann_api, labels=["a", "b"]), labels=["c"])["labels"] == ["c"]


@pytest.mark.parametrize("change", [{}, {"title": "Water the plums"}])
def test_patch_that_changes_nothing_keeps_the_version(ann_api: Api, change: dict[str, str]) -> None:
    task = make(ann_api)
    assert patch(ann_api, task, **change) == task


def test_merge_patch_is_no_type_for_a_put(ann_api: Api) -> None:
    answer = ann_api.put(f"/tasks/{make(ann_api)['id']}", FULL, headers=MERGE_PATCH)
    assert slug_of(answer) == (415, "unsupported-media-type")


def test_completed_at_comes_and_goes_with_done(ann_api: Api) -> None:
    task = patch(ann_api, make(ann_api), status="done")
    assert task["completed_at"] == task["updated_at"]
    assert patch(ann_api, task, title="Watered")["completed_at"] == task["completed_at"]
    assert patch(ann_api, task, status="cancelled")["completed_at"] is None


def test_task_that_is_made_done_is_complete(ann_api: Api) -> None:
    task = make(ann_api, status="done")
    assert task["completed_at"] == task["created_at"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("below", ["", "/restore"])
def test_task_of_a_stranger_is_like_one_that_is_not_there(
    ann_api: Api, bob_api: Api, method: str, below: str
) -> None:
    task = make(ann_api)
    method = "POST" if below else method
    theirs, none = (
        bob_api.call(method, f"/tasks/{task_id}{below}", json={"title": "Mine"})
        for task_id in (task["id"], MISSING)
    )
    assert (theirs.status_code, none.status_code) == (404, 404)
    assert method == "HEAD" or without_request(theirs) == without_request(none)
    assert ann_api.get(f"/tasks/{task['id']}").get_json() == task


@pytest.mark.parametrize("header", [{"If-None-Match": "*"}, {"If-Match": '"7"'}])
def test_precondition_tells_a_stranger_nothing(
    ann_api: Api, bob_api: Api, header: dict[str, str]
) -> None:
    task = make(ann_api)
    for method in ("GET", "PATCH", "DELETE"):
        answer = bob_api.call(method, f"/tasks/{task['id']}", json={}, headers=header)
        assert answer.status_code == 404


def test_assignee_sees_and_changes_the_task(ann_api: Api, bob_api: Api, bob: Actor) -> None:
    task = make(ann_api, assignee_id=bob.id)
    assert bob_api.get(f"/tasks/{task['id']}").get_json() == task
    assert patch(bob_api, task, status="done", assignee_id=bob.id)["status"] == "done"


@pytest.mark.parametrize(
    ("method", "body"),
    [
        ("PATCH", {"assignee_id": None}),
        ("PATCH", {"assignee_id": "ann"}),
        ("PUT", {"title": "Mine"}),
        ("DELETE", None),
    ],
)
def test_assignee_neither_hands_the_task_on_nor_deletes_it(
    ann_api: Api, ann: Actor, bob_api: Api, bob: Actor, method: str, body: dict[str, Any] | None
) -> None:
    task = make(ann_api, assignee_id=bob.id)
    if body and body.get("assignee_id"):
        body = {"assignee_id": ann.id}
    answer = bob_api.call(method, f"/tasks/{task['id']}", json=body)
    assert slug_of(answer) == (403, "forbidden")
    assert ann_api.get(f"/tasks/{task['id']}").get_json() == task


def test_assignee_puts_a_task_that_keeps_the_assignee(
    ann_api: Api, bob_api: Api, bob: Actor
) -> None:
    task = make(ann_api, assignee_id=bob.id)
    body = {"title": "Prune", "assignee_id": bob.id}
    assert bob_api.put(f"/tasks/{task['id']}", body).get_json()["title"] == "Prune"


def test_former_assignee_sees_the_task_no_more(ann_api: Api, bob_api: Api, bob: Actor) -> None:
    task = make(ann_api, assignee_id=bob.id)
    patch(ann_api, task, assignee_id=None)
    assert bob_api.get(f"/tasks/{task['id']}").status_code == 404


def test_admin_does_all_with_anybodys_task(ann_api: Api, root_api: Api, bob: Actor) -> None:
    task = make(ann_api)
    assert patch(root_api, task, assignee_id=bob.id)["assignee_id"] == bob.id
    assert root_api.delete(f"/tasks/{task['id']}").status_code == 204
    assert root_api.post(f"/tasks/{task['id']}/restore").status_code == 200


def test_deleted_task_is_gone_and_lies_in_the_trash(ann_api: Api) -> None:
    task = make(ann_api)
    answer = ann_api.delete(f"/tasks/{task['id']}")
    assert (answer.status_code, answer.data) == (204, b"")
    assert ann_api.get(f"/tasks/{task['id']}").status_code == 404
    assert ann_api.delete(f"/tasks/{task['id']}").status_code == 404
    trash = ann_api.get("/tasks?trashed=true").get_json()["items"]
    assert [item["id"] for item in trash] == [task["id"]]
