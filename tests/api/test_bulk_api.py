"""Bulk changes of tasks in one request: all are made, or none."""

import random
from functools import partial
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.models import AuditEvent, Task
from app.services.shared.actor import Actor
from tests.api.test_tasks_api import DEFAULTS, make, patch
from tests.support.answers import MISSING, blamed, slug_of
from tests.support.clients import Api
from tests.support.races import at_once
from tests.support.rows import rows

Op = dict[str, Any]


def bulk(api: Api, *operations: Any) -> TestResponse:
    return api.post("/tasks/bulk", {"operations": list(operations)})


def create(**data: Any) -> Op:
    return {"op": "create", "data": {"title": "x", **data}}


def update(task_id: str, version: int | None = None, **data: Any) -> Op:
    op = {"op": "update", "id": task_id, "data": data}
    return op if version is None else {**op, "version": version}


def delete(task_id: str, version: int | None = None) -> Op:
    op = {"op": "delete", "id": task_id}
    return op if version is None else {**op, "version": version}


def failed(answer: TestResponse) -> tuple[int, str, int]:
    """Return the status, the kind and the index of the failed change."""
    return (*slug_of(answer), answer.get_json()["index"])


def titles(api: Api) -> list[str]:
    return [task["title"] for task in api.get("/tasks?sort=created_at").get_json()["items"]]


def test_each_operation_has_its_result_in_order(ann: Actor, ann_api: Api) -> None:
    one, two = make(ann_api, title="one"), make(ann_api, title="two")
    answer = bulk(ann_api, delete(one["id"]), create(title="new"), update(two["id"], title="2"))
    assert answer.status_code == 200
    results = answer.get_json()["results"]
    assert [(r["index"], r["op"]) for r in results] == [(0, "delete"), (1, "create"), (2, "update")]
    assert [r["id"] for r in results] == [one["id"], results[1]["task"]["id"], two["id"]]
    assert [r["task"] and r["task"]["title"] for r in results] == [None, "new", "2"]
    assert {frozenset(r) for r in results} == {frozenset({"index", "op", "id", "task"})}


def test_result_is_what_is_read_later(ann_api: Api) -> None:
    task = bulk(ann_api, create(labels=["a"])).get_json()["results"][0]["task"]
    assert ann_api.get(f"/tasks/{task['id']}").get_json() == task
    assert task.items() >= {**DEFAULTS, "labels": ["a"]}.items()


def test_change_is_merged_as_a_patch_is(ann_api: Api) -> None:
    task = make(ann_api, description="Deep.", labels=["a"], due_at="2030-01-01T00:00:00Z")
    answer = bulk(ann_api, update(task["id"], description=None, due_at=None, priority="low"))
    changed = answer.get_json()["results"][0]["task"]
    assert (changed["description"], changed["due_at"], changed["labels"]) == ("", None, ["a"])


def test_one_operation_sees_what_those_before_it_did(ann_api: Api) -> None:
    task = make(ann_api)
    answer = bulk(
        ann_api,
        update(task["id"], 1, title="a"),
        update(task["id"], 2, title="b"),
        delete(task["id"], 3),
    )
    assert [r["task"] and r["task"]["version"] for r in answer.get_json()["results"]] == [
        2,
        3,
        None,
    ]
    assert failed(bulk(ann_api, delete(task["id"]))) == (404, "not-found", 0)


def test_version_is_a_number_however_it_is_written(ann_api: Api) -> None:
    body = {"op": "delete", "id": make(ann_api)["id"], "version": 1.0}
    assert bulk(ann_api, body).status_code == 200


def test_hundred_operations_are_done_at_once(ann_api: Api) -> None:
    answer = bulk(ann_api, *(create(title=f"{n}") for n in range(100)))
    assert [r["index"] for r in answer.get_json()["results"]] == list(range(100))
    assert ann_api.get("/tasks?count=true").get_json()["total"] == 100


def test_every_change_is_in_the_audit_trail(app: Flask, ann_api: Api) -> None:
    task = make(ann_api)
    bulk(ann_api, create(), update(task["id"], title="y"), delete(task["id"]))
    with app.app_context():
        trail = sorted(rows(AuditEvent), key=lambda event: event.created_at)
    found = [event.action for event in trail if event.target_type == "task"]
    assert found == ["task.created", "task.created", "task.updated", "task.deleted"]


@pytest.mark.parametrize(
    ("wrong", "status", "slug"),
    [
        (update(MISSING, title="x"), 404, "not-found"),
        (delete(MISSING), 404, "not-found"),
        (create(title=""), 422, "invalid"),
        (create(assignee_id=MISSING), 422, "invalid"),
        (create(owner_id=MISSING), 422, "invalid"),
        ({"op": "create"}, 422, "invalid"),
        ({"op": "create", "data": {}}, 422, "invalid"),
        ({"op": "create", "data": None}, 422, "invalid"),
        ({"op": "create", "data": []}, 422, "invalid"),
        ({"op": "create", "id": MISSING, "data": {"title": "x"}}, 422, "invalid"),
        ({"op": "create", "version": 1, "data": {"title": "x"}}, 422, "invalid"),
        ({"op": "update", "data": {"title": "x"}}, 422, "invalid"),
        ({"op": "update", "id": MISSING}, 422, "invalid"),
        ({"op": "update", "id": "x", "data": {}}, 422, "invalid"),
        ({"op": "delete"}, 422, "invalid"),
        ({"op": "delete", "id": MISSING, "data": {}}, 422, "invalid"),
        ({"op": "delete", "id": MISSING, "version": "1"}, 422, "invalid"),
        ({"op": "delete", "id": MISSING, "version": 0}, 422, "invalid"),
        ({"op": "delete", "id": MISSING, "version": True}, 422, "invalid"),
        ({"op": "delete", "id": MISSING, "version": 1.5}, 422, "invalid"),
        ({"op": "delete", "id": MISSING, "version": 10**30}, 422, "invalid"),
        ({"op": "delete", "id": MISSING, "extra": 1}, 422, "invalid"),
        ({"op": "replace", "id": MISSING}, 422, "invalid"),
        ({"op": None}, 422, "invalid"),
        ({}, 422, "invalid"),
        (None, 422, "invalid"),
        ("create", 422, "invalid"),
    ],
)
def test_none_is_made_where_one_fails(
    app: Flask, ann_api: Api, wrong: Any, status: int, slug: str
) -> None:
    answer = bulk(ann_api, create(title="a"), wrong, create(title="b"), {"op": "x"})
    later = bulk(ann_api, create(title="a"), create(title="b"), wrong)
    assert failed(answer) in ((status, slug, 1), (422, "invalid", 1), (422, "invalid", 3))
    assert failed(later) == (status, slug, 2)
    assert titles(ann_api) == []


def test_index_is_of_the_first_that_fails(ann_api: Api) -> None:
    answer = bulk(ann_api, create(), create(title=""), create(title=None), {"op": "x"})
    assert answer.get_json()["index"] in (1, 3)
    assert failed(bulk(ann_api, create(), delete(MISSING), delete(MISSING))) == (
        404,
        "not-found",
        1,
    )


@pytest.mark.parametrize(
    ("wrong", "pointers"),
    [
        (create(title="", priority="x"), ["data/priority", "data/title"]),
        (create(**{"a/b~c": 1}), ["data/a~1b~0c"]),
        (create(assignee_id=MISSING), ["data/assignee_id"]),
        (create(labels=["a", ""]), ["data/labels"]),
        ({"op": "x"}, ["op"]),
        ({"op": "update"}, ["data", "id"]),
    ],
)
def test_fault_is_pointed_at(ann_api: Api, wrong: Op, pointers: list[str]) -> None:
    answer = bulk(ann_api, create(), wrong)
    assert sorted(blamed(answer)) == [f"/operations/1/{pointer}" for pointer in pointers]


def test_change_that_would_clear_the_title_points_at_it(ann_api: Api) -> None:
    answer = bulk(ann_api, update(make(ann_api)["id"], title=None))
    assert (failed(answer), blamed(answer)) == (
        (422, "invalid", 0),
        ["/operations/0/data/title"],
    )


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/operations"]),
        ({"operations": []}, ["/operations"]),
        ({"operations": {}}, ["/operations"]),
        ({"operations": None}, ["/operations"]),
        ({"operations": [create()] * 101}, ["/operations"]),
        ({"operations": [create()], "more": 1}, ["/more"]),
        ([create()], [""]),
    ],
)
def test_request_has_1_to_100_operations(ann_api: Api, body: Any, pointers: list[str]) -> None:
    answer = ann_api.post("/tasks/bulk", body)
    assert (slug_of(answer), blamed(answer)) == ((422, "invalid"), pointers)
    assert titles(ann_api) == []


def test_stale_version_fails_all(ann_api: Api) -> None:
    one, two = make(ann_api, title="one"), make(ann_api, title="two")
    patch(ann_api, two, title="2")
    answer = bulk(ann_api, update(one["id"], 1, title="1"), update(two["id"], 1, title="late"))
    assert failed(answer) == (412, "precondition-failed", 1)
    assert failed(bulk(ann_api, delete(two["id"], 1))) == (412, "precondition-failed", 0)
    assert titles(ann_api) == ["one", "2"]


def test_assignee_hands_nothing_on_and_deletes_nothing(
    ann_api: Api, bob_api: Api, bob: Actor
) -> None:
    task = make(ann_api, title="hers", assignee_id=bob.id)
    for wrong in (delete(task["id"]), update(task["id"], assignee_id=None)):
        answer = bulk(bob_api, create(), update(task["id"], title="his"), wrong)
        assert failed(answer) == (403, "forbidden", 2)
    assert titles(bob_api) == ["hers"]


def test_task_of_another_is_not_there(ann_api: Api, bob_api: Api) -> None:
    task = make(ann_api)
    for wrong in (update(task["id"], title="x"), delete(task["id"])):
        assert failed(bulk(bob_api, create(), wrong)) == (404, "not-found", 1)
    assert titles(bob_api) == []


def test_version_may_be_required(app: Flask, ann_api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    task = make(ann_api)
    monkeypatch.setitem(app.config, "REQUIRE_IF_MATCH", True)
    for wrong in (update(task["id"], title="y"), delete(task["id"])):
        assert failed(bulk(ann_api, create(), wrong)) == (428, "precondition-required", 1)
    answer = bulk(ann_api, create(), update(task["id"], 1, title="y"), delete(task["id"], 2))
    assert answer.status_code == 200


@pytest.mark.parametrize("attempt", range(3))
def test_changes_that_cross_each_other_are_all_made(app: Flask, ann_api: Api, attempt: int) -> None:
    """Each request changes the same tasks in another order."""
    ids = [make(ann_api)["id"] for _ in range(8)]
    orders = [random.sample(ids, len(ids)) for _ in range(8)]
    changes = [[update(one, title=f"{n}") for one in order] for n, order in enumerate(orders)]
    calls = [partial(bulk, Api(app, ann_api.token), *operations) for operations in changes]
    assert [answer.status_code for answer in at_once(calls)] == [200] * 8
    with app.app_context():
        assert {task.version for task in rows(Task)} == {9}
    assert len(set(titles(ann_api))) == 1
