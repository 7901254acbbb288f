"""The labels in use: one entry regardless of case, the most used first."""

import pytest

from app.services.shared.actor import Actor
from app.services.tasks import label_counts
from tests.api.test_tasks_api import make
from tests.support.answers import slug_of
from tests.support.clients import Api


def used(api: Api) -> list[tuple[str, int]]:
    answer = api.get("/tasks/labels")
    assert answer.status_code == 200, answer.text
    assert answer.get_json().keys() == {"items"}
    return [(item["label"], item["count"]) for item in answer.get_json()["items"]]


def test_labels_are_counted_without_regard_to_case(ann_api: Api) -> None:
    for labels in (["Home", "work"], ["home"], ["home", "Stra\u00dfe"], ["STRASSE", "caf\u00e9"]):
        make(ann_api, labels=labels)
    assert used(ann_api) == [("home", 3), ("STRASSE", 2), ("caf\u00e9", 1), ("work", 1)]


def test_labels_of_the_trash_and_of_others_are_not_told(ann_api: Api, bob_api: Api) -> None:
    kept, gone = make(ann_api, labels=["kept"]), make(ann_api, labels=["gone", "kept"])
    make(bob_api, labels=["his"])
    ann_api.delete(f"/tasks/{gone['id']}")
    assert used(ann_api) == [("kept", 1)]
    ann_api.delete(f"/tasks/{kept['id']}")
    assert used(ann_api) == []


def test_task_that_one_owns_and_is_assigned_counts_once(
    ann_api: Api, bob_api: Api, bob: Actor, ann: Actor
) -> None:
    make(ann_api, labels=["both"], assignee_id=ann.id)
    make(ann_api, labels=["given"], assignee_id=bob.id)
    assert used(ann_api) == [("both", 1), ("given", 1)]
    assert used(bob_api) == [("given", 1)]


def test_admin_is_told_the_labels_of_all(ann_api: Api, bob_api: Api, root_api: Api) -> None:
    make(ann_api, labels=["x"])
    make(bob_api, labels=["X", "y"])
    assert used(root_api) == [("X", 2), ("y", 1)]


def test_number_of_labels_is_limited(ann_api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    make(ann_api, labels=["a", "b", "c"])
    monkeypatch.setattr(label_counts, "LABELS_MAX", 2)
    assert used(ann_api) == [("a", 1), ("b", 1)]


def test_labels_need_the_scope_and_take_no_parameter(api: Api, ann_api: Api) -> None:
    assert api.get("/tasks/labels").status_code == 401
    assert slug_of(ann_api.get("/tasks/labels?limit=1")) == (422, "invalid-parameter")
