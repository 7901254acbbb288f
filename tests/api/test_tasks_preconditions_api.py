"""ETags and preconditions (RFC 9110, 13) of tasks, also on restoring from the trash."""

from typing import Any

import pytest
from flask import Flask

from app.services.shared.actor import Actor
from tests.api.test_tasks_api import make, patch
from tests.support.answers import MISSING, slug_of
from tests.support.clients import Api

CURRENT = ['"2"', '"1", "2"', '"7","2" , "x"', ', "2",,', "*", ' "2"\t', '"a,b", "2"']
STALE = [
    '"1"',
    '"1", "3"',
    'W/"2"',
    '"02"',
    '"+2"',
    '""',
    '"\u00b2"',
    "",
    '"' + "2" * 99 + '"',
]
BROKEN = ["2", '"2', '2"', '"1" "2"', "W/2", '"1", 2', "'2'", "*, *", '"2 "']
METHODS = ["PUT", "PATCH", "DELETE"]
BODY = {"title": "Prune"}


@pytest.fixture
def task(ann_api: Api) -> dict[str, Any]:
    """A task of Ann in its second version."""
    return patch(ann_api, make(ann_api), priority="high")


def change(api: Api, task: dict[str, Any], method: str, if_match: str | None = None) -> Any:
    headers = {} if if_match is None else {"If-Match": if_match}
    return api.call(method, f"/tasks/{task['id']}", json=BODY, headers=headers)


def test_task_has_a_strong_etag_and_is_kept_by_its_owner_alone(
    ann_api: Api, task: dict[str, Any]
) -> None:
    answer = ann_api.get(f"/tasks/{task['id']}")
    assert answer.headers["ETag"] == '"2"'
    assert answer.headers["Cache-Control"] == "private, no-cache"


def test_each_change_has_an_etag_of_its_own(ann_api: Api, task: dict[str, Any]) -> None:
    answer = change(ann_api, task, "PATCH")
    assert answer.headers["ETag"] == '"3"'
    assert ann_api.get(f"/tasks/{task['id']}").headers["ETag"] == '"3"'


def test_answer_to_a_put_has_no_etag(ann_api: Api, task: dict[str, Any]) -> None:
    """RFC 9110, 9.3.4: the stored task is not the sent body byte for byte."""
    answer = change(ann_api, task, "PUT")
    assert answer.status_code == 200
    assert "ETag" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("header", ['"2"', 'W/"2"', '"1", "2"', "*", '"x" ,W/"2"'])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_unchanged_task_is_not_sent_again(
    ann_api: Api, task: dict[str, Any], method: str, header: str
) -> None:
    path = f"/tasks/{task['id']}"
    answer = ann_api.call(method, path, headers={"If-None-Match": header})
    assert (answer.status_code, answer.data) == (304, b"")
    assert answer.headers["ETag"] == '"2"'
    assert "Content-Type" not in answer.headers


@pytest.mark.parametrize("header", ['"1"', '"22"', "", '"2', "2", 'w/"2"'])
def test_changed_task_is_sent(ann_api: Api, task: dict[str, Any], header: str) -> None:
    answer = ann_api.get(f"/tasks/{task['id']}", headers={"If-None-Match": header})
    assert (answer.status_code, answer.get_json()) == (200, task)


def test_not_modified_is_told_to_those_alone_who_see_the_task(
    app: Flask, ann_api: Api, bob_api: Api, root_api: Api, bob: Actor, task: dict[str, Any]
) -> None:
    def ask(api: Api) -> int:
        return api.get(f"/tasks/{task['id']}", headers={"If-None-Match": '"2"'}).status_code

    assert [ask(api) for api in (ann_api, bob_api, root_api)] == [304, 404, 304]
    patch(ann_api, task, assignee_id=bob.id)
    assert [ask(api) for api in (ann_api, bob_api, root_api)] == [200, 200, 200]
    ann_api.delete(f"/tasks/{task['id']}")
    assert [ask(api) for api in (ann_api, bob_api, root_api)] == [404, 404, 404]
    assert ask(Api(app, "nobody's")) == 401


def test_not_modified_asks_for_the_scope_and_a_right_query_first(
    app: Flask, ann_api: Api, task: dict[str, Any]
) -> None:
    path, headers = f"/tasks/{task['id']}", {"If-None-Match": "*"}
    assert ann_api.get(path, headers=headers).status_code == 304
    assert ann_api.get(f"{path}?colour=red", headers=headers).status_code == 422
    made = ann_api.post("/tokens", {"name": "x", "scopes": ["profile:read"]})
    assert Api(app, made.get_json()["token"]).get(path, headers=headers).status_code == 403


@pytest.mark.parametrize("if_match", CURRENT)
@pytest.mark.parametrize("method", METHODS)
def test_change_of_the_version_that_was_read_is_made(
    ann_api: Api, task: dict[str, Any], method: str, if_match: str
) -> None:
    assert change(ann_api, task, method, if_match).status_code in (200, 204)


@pytest.mark.parametrize("if_match", STALE)
@pytest.mark.parametrize("method", METHODS)
def test_change_of_another_version_is_refused(
    ann_api: Api, task: dict[str, Any], method: str, if_match: str
) -> None:
    assert slug_of(change(ann_api, task, method, if_match)) == (412, "precondition-failed")
    assert ann_api.get(f"/tasks/{task['id']}").get_json() == task


@pytest.mark.parametrize("if_match", BROKEN)
@pytest.mark.parametrize("method", METHODS)
def test_what_is_no_entity_tag_is_malformed(
    ann_api: Api, task: dict[str, Any], method: str, if_match: str
) -> None:
    assert slug_of(change(ann_api, task, method, if_match)) == (400, "malformed")


@pytest.mark.parametrize("if_match", [None, '"1"'])
@pytest.mark.parametrize("method", METHODS)
def test_one_cannot_change_what_is_not_there(
    ann_api: Api, method: str, if_match: str | None
) -> None:
    assert slug_of(change(ann_api, {"id": MISSING}, method, if_match)) == (404, "not-found")


def test_two_changes_of_different_fields_lose_neither(ann_api: Api, task: dict[str, Any]) -> None:
    patch(ann_api, task, description="Deeply.")
    patch(ann_api, task, labels=["garden"])
    found = ann_api.get(f"/tasks/{task['id']}").get_json()
    assert (found["description"], found["labels"], found["version"]) == ("Deeply.", ["garden"], 4)


@pytest.fixture
def required(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "REQUIRE_IF_MATCH", True)


@pytest.mark.usefixtures("required")
@pytest.mark.parametrize("method", METHODS)
def test_precondition_may_be_required(ann_api: Api, method: str) -> None:
    made = make(ann_api)
    assert slug_of(change(ann_api, made, method)) == (428, "precondition-required")
    assert change(ann_api, made, method, '"1"').status_code in (200, 204)


@pytest.mark.usefixtures("required")
def test_required_precondition_holds_for_accounts_too(root_api: Api, ann: Actor) -> None:
    for path in ("/users/me", f"/users/{ann.id}"):
        assert slug_of(root_api.patch(path, {})) == (428, "precondition-required")
        assert root_api.patch(path, {}, headers={"If-Match": "*"}).status_code == 200


def test_restored_task_is_back_in_a_new_version(ann_api: Api, task: dict[str, Any]) -> None:
    change(ann_api, task, "DELETE")
    answer = ann_api.post(f"/tasks/{task['id']}/restore")
    body = answer.get_json()
    assert (answer.status_code, body["title"], body["version"]) == (200, task["title"], 4)
    assert answer.headers["ETag"] == '"4"'


def test_old_etag_does_not_fit_a_restored_task(ann_api: Api, task: dict[str, Any]) -> None:
    change(ann_api, task, "DELETE")
    ann_api.post(f"/tasks/{task['id']}/restore")
    assert change(ann_api, task, "PATCH", '"2"').status_code == 412


def test_restoring_what_is_not_in_the_trash_changes_nothing(
    ann_api: Api, task: dict[str, Any]
) -> None:
    assert ann_api.post(f"/tasks/{task['id']}/restore").get_json() == task


def test_assignee_takes_nothing_out_of_the_owners_trash(
    ann_api: Api, bob_api: Api, bob: Actor
) -> None:
    task = make(ann_api, assignee_id=bob.id)
    ann_api.delete(f"/tasks/{task['id']}")
    assert bob_api.post(f"/tasks/{task['id']}/restore").status_code == 404
    assert bob_api.get("/tasks?trashed=true").get_json()["items"] == []


def test_task_in_the_trash_is_not_changed(ann_api: Api, task: dict[str, Any]) -> None:
    change(ann_api, task, "DELETE")
    assert [change(ann_api, task, method).status_code for method in METHODS] == [404] * 3


@pytest.mark.parametrize("method", METHODS)
def test_what_one_may_not_do_is_said_before_what_is_stale(
    ann_api: Api, bob_api: Api, bob: Actor, root_api: Api, method: str
) -> None:
    task = make(ann_api, assignee_id=bob.id)
    body = {"title": "Prune", "assignee_id": None}
    path, stale = f"/tasks/{task['id']}", {"If-Match": '"9"'}
    assert slug_of(bob_api.call(method, path, json=body, headers=stale)) == (403, "forbidden")
    assert slug_of(root_api.call(method, path, json=body, headers=stale))[0] == 412
