"""If-Match and If-None-Match on every resource that has an ETag (RFC 9110, 13)."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.errors import PreconditionFailed
from app.services.shared.actor import Actor
from app.services.shared.preconditions import Condition
from app.services.tasks import tasks
from tests.conftest import MakeApp
from tests.support.answers import MISSING, slug_of
from tests.support.clients import Api
from tests.support.races import race, split
from tests.support.routes import OPERATIONS

TASK = {"title": "Prune"}
HOOK = {"url": "https://1.1.1.1/hook", "events": ["task.created"]}
# The path of a resource that root may change, its write methods and a body for them.
Resource = tuple[str, list[str], dict[str, Any]]
READS = ["GET", "HEAD"]
WRITES = ["PUT", "PATCH", "DELETE"]


def of_task(api: Api, _ann: Actor) -> Resource:
    return f"/tasks/{api.post('/tasks', TASK).get_json()['id']}", WRITES, {"title": "Water"}


def of_comment(api: Api, ann: Actor) -> Resource:
    path = f"{of_task(api, ann)[0]}/comments"
    made = api.post(path, {"body": "x"}).get_json()
    return f"{path}/{made['id']}", ["PATCH", "DELETE"], {"body": "y"}


def of_token(api: Api, _ann: Actor) -> Resource:
    made = api.post("/tokens", {"name": "x", "scopes": ["tasks:read"]}).get_json()
    return f"/tokens/{made['id']}", ["DELETE"], {}


def of_webhook(api: Api, _ann: Actor) -> Resource:
    made = api.post("/webhooks", HOOK).get_json()
    return f"/webhooks/{made['id']}", ["PATCH", "DELETE"], {"is_active": False}


def of_account(_api: Api, ann: Actor) -> Resource:
    return f"/users/{ann.id}", ["PATCH", "DELETE"], {"username": "anna"}


def of_own_account(_api: Api, _ann: Actor) -> Resource:
    return "/users/me", ["PATCH"], {"username": "chief"}


def of_document(_api: Api, _ann: Actor) -> Resource:
    return "/openapi.json", [], {}


KINDS = (of_task, of_comment, of_token, of_webhook, of_account, of_own_account, of_document)
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.__name__))
Kind = Callable[[Api, Actor], Resource]


def ask(api: Api, method: str, path: str, body: Any = None, **conditions: str) -> TestResponse:
    headers = {name.replace("_", "-"): value for name, value in conditions.items()}
    return api.call(method, path, json=body if method in WRITES else None, headers=headers)


@each_kind
@pytest.mark.parametrize("method", READS)
def test_read_of_another_version_than_the_required_one_fails(
    root_api: Api, ann: Actor, kind: Kind, method: str
) -> None:
    path, _, _ = kind(root_api, ann)
    tag = root_api.get(path).headers["ETag"]
    for header in ('"other"', f"W/{tag}", f'"a", W/{tag}', ""):
        answer = ask(root_api, method, path, If_Match=header)
        assert answer.status_code == 412, header
        assert method == "HEAD" or slug_of(answer) == (412, "precondition-failed")
    for header in (tag, "*", f'"other", {tag}'):
        assert ask(root_api, method, path, If_Match=header).status_code == 200, header


@each_kind
@pytest.mark.parametrize("method", READS)
def test_required_version_is_looked_at_before_the_excluded_one(
    root_api: Api, ann: Actor, kind: Kind, method: str
) -> None:
    """RFC 9110, 13.2.2."""
    path, _, _ = kind(root_api, ann)
    tag = root_api.get(path).headers["ETag"]
    both = {"If_Match": '"other"', "If_None_Match": tag}
    assert ask(root_api, method, path, **both).status_code == 412
    assert ask(root_api, method, path, If_Match=tag, If_None_Match=tag).status_code == 304
    assert ask(root_api, method, path, If_Match=tag, If_None_Match='"other"').status_code == 200


@each_kind
def test_write_to_an_excluded_version_fails_and_changes_nothing(
    root_api: Api, ann: Actor, kind: Kind
) -> None:
    path, writes, body = kind(root_api, ann)
    before = root_api.get(path)
    tag = before.headers["ETag"]
    for method in writes:
        for header in (tag, f"W/{tag}", "*", f'"other" , {tag}'):
            answer = ask(root_api, method, path, body, If_None_Match=header)
            assert slug_of(answer) == (412, "precondition-failed"), (method, header)
        both = {"If_Match": tag, "If_None_Match": tag}
        assert ask(root_api, method, path, body, **both).status_code == 412
    after = root_api.get(path)
    assert (after.get_json(), after.headers["ETag"]) == (before.get_json(), tag)


@each_kind
def test_write_to_a_version_that_is_not_excluded_is_made(
    root_api: Api, ann: Actor, kind: Kind
) -> None:
    path, writes, body = kind(root_api, ann)
    for method in writes:
        answer = ask(root_api, method, path, body, If_None_Match='"other", "99"')
        assert answer.status_code in (200, 204), (method, answer.text)


@each_kind
@pytest.mark.parametrize("header", ["2", '"2', "W/2", '"1", 2', "*, *"])
def test_malformed_condition_of_a_write_is_refused(
    root_api: Api, ann: Actor, kind: Kind, header: str
) -> None:
    """A write must not go on without its condition; a read may (RFC 9110, 13.1.2)."""
    path, writes, body = kind(root_api, ann)
    for method in writes:
        answer = ask(root_api, method, path, body, If_None_Match=header)
        assert slug_of(answer) == (400, "malformed"), method
    assert slug_of(ask(root_api, "GET", path, If_Match=header)) == (400, "malformed")
    assert ask(root_api, "GET", path, If_None_Match=header).status_code == 200


@pytest.mark.parametrize("method", [*READS, *WRITES])
def test_condition_on_what_is_not_there_is_not_looked_at(ann_api: Api, method: str) -> None:
    """RFC 9110, 13.2.1."""
    path = f"/tasks/{MISSING}"
    for conditions in ({"If_Match": '"1"'}, {"If_None_Match": "*"}, {"If_Match": "*"}):
        assert ask(ann_api, method, path, TASK, **conditions).status_code == 404


@pytest.mark.parametrize("query", ["?colour=red", "?limit=1"])
def test_bad_query_is_told_before_a_condition(ann_api: Api, ann: Actor, query: str) -> None:
    path, _, _ = of_task(ann_api, ann)
    answer = ask(ann_api, "GET", path + query, If_Match='"9"', If_None_Match='"1"')
    assert slug_of(answer) == (422, "invalid-parameter")


def test_excluded_version_is_no_required_one(
    ann_api: Api, ann: Actor, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "REQUIRE_IF_MATCH", True)
    path, _, _ = of_task(ann_api, ann)
    answer = ask(ann_api, "PATCH", path, TASK, If_None_Match='"9"')
    assert slug_of(answer) == (428, "precondition-required")


def test_of_many_writers_that_exclude_the_next_version_one_gets_through(
    other_app: MakeApp, ann: Actor
) -> None:
    wide = other_app(DATABASE_POOL_SIZE="20")
    with wide.app_context():
        task = tasks.create(ann, TASK)
    expect = Condition(besides=frozenset({task.version + 1}))
    calls = [partial(tasks.update, ann, task.id, {"title": str(n)}, expect) for n in range(20)]
    won, lost = split(race(wide, calls), PreconditionFailed)
    assert (len(won), len(lost)) == (1, 19)


def test_every_change_of_a_record_with_an_etag_takes_conditions() -> None:
    tagged = {
        route.rule
        for route in OPERATIONS
        if route.method == "GET" and route.operation and route.operation.etag
    }
    changes = [r for r in OPERATIONS if r.rule in tagged and r.method in WRITES]
    assert len(changes) > 8
    assert [str(r) for r in changes if not (r.operation and r.operation.if_match)] == []


def test_every_read_with_an_etag_tells_of_both_conditions() -> None:
    assert len(KINDS) == sum(
        1 for r in OPERATIONS if r.method == "GET" and r.operation and r.operation.etag
    )
