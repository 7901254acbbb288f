"""The audit trail by the API, for admins."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask

from app.models import AuditEvent
from app.services.shared.actor import Actor
from tests.api.test_tasks_api import make, patch
from tests.conftest import PASSWORD, signed_in_api
from tests.support.answers import MISSING, blamed, slug_of
from tests.support.clients import Api
from tests.support.rows import rows

FIELDS = {
    "id",
    "actor_id",
    "token_id",
    "action",
    "target_type",
    "target_id",
    "changes",
    "address",
    "request_id",
    "created_at",
}


def trail(api: Api, **query: str) -> list[dict[str, Any]]:
    text = "&".join(f"{name}={quote(value)}" for name, value in query.items())
    answer = api.get(f"/audit?limit=100&{text}")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.get_json()["items"]
    return found


def told(api: Api, **query: str) -> list[str]:
    return [event["action"] for event in trail(api, **query)]


def test_event_says_who_did_what_to_what_from_where(
    ann: Actor, ann_api: Api, root_api: Api
) -> None:
    here: dict[str, Any] = {
        "headers": {"X-Request-ID": "of-this-test"},
        "environ_overrides": {"REMOTE_ADDR": "192.0.2.9"},
    }
    task = ann_api.post("/tasks", {"title": "x", "priority": "low"}, **here).get_json()
    (event,) = trail(root_api, action="task.created")
    assert event.keys() == FIELDS
    assert (event["actor_id"], event["address"]) == (ann.id, "192.0.2.9")
    assert (event["target_type"], event["target_id"]) == ("task", task["id"])
    assert event["request_id"] == "of-this-test"
    assert event["changes"] == {"title": [None, "x"], "priority": [None, "low"]}


def test_event_says_by_which_token(app: Flask, ann_api: Api, root_api: Api) -> None:
    body = {"name": "x", "scopes": ["tasks:write"]}
    made = ann_api.post("/tokens", body).get_json()
    make(Api(app, made["token"]))
    make(ann_api)
    by_sign_in, by_token = trail(root_api, action="task.created")
    assert by_token["token_id"] == made["id"]
    assert by_sign_in["token_id"] not in (None, made["id"])


def test_trail_holds_no_secret(app: Flask, ann_api: Api, root_api: Api) -> None:
    token = ann_api.post("/tokens", {"name": "x", "scopes": ["tasks:read"]}).get_json()["token"]
    new = "eleven apples in a bowl"
    ann_api.patch("/users/me", {"password": new, "current_password": PASSWORD})
    Api(app).post("/auth/login", {"identifier": "ann", "password": "my wrong guess"})
    text = root_api.get("/audit?limit=100").text
    assert told(root_api, action="user.password_changed")
    for secret in (token, PASSWORD, new, "my wrong guess", "$argon2", str(ann_api.token)):
        assert secret not in text


def test_newest_event_comes_first(ann_api: Api, root_api: Api) -> None:
    task = make(ann_api)
    patch(ann_api, task, status="done")
    ann_api.delete(f"/tasks/{task['id']}")
    assert told(root_api, target_id=task["id"]) == ["task.deleted", "task.updated", "task.created"]


def test_filters_together_leave_what_matches_all(
    ann: Actor, bob: Actor, ann_api: Api, bob_api: Api, root_api: Api
) -> None:
    mine, theirs = make(ann_api), make(bob_api)
    patch(ann_api, mine, title="y")
    assert told(root_api, actor_id=ann.id, target_type="task") == ["task.updated", "task.created"]
    assert told(root_api, actor_id=ann.id.upper(), action="task.updated") == ["task.updated"]
    assert told(root_api, target_id=theirs["id"]) == ["task.created"]
    assert told(root_api, actor_id=ann.id, target_id=theirs["id"]) == []
    assert told(root_api, target_type="user", target_id=bob.id) == [
        "session.created",
        "user.created",
    ]
    assert told(root_api, action="nothing") == told(root_api, actor_id=MISSING) == []


def test_since_is_inclusive_and_until_exclusive(ann_api: Api, root_api: Api) -> None:
    task = make(ann_api)
    patch(ann_api, task, title="y")
    last, first = trail(root_api, target_id=task["id"])
    start, end = first["created_at"], last["created_at"]
    assert told(root_api, target_id=task["id"], since=start, until=end) == ["task.created"]
    assert told(root_api, target_id=task["id"], since=end) == ["task.updated"]
    assert told(root_api, target_id=task["id"], until=start) == []


def test_offset_of_a_bound_counts(ann_api: Api, root_api: Api) -> None:
    (event,) = trail(root_api, target_id=make(ann_api)["id"])
    moment = datetime.fromisoformat(event["created_at"]) + timedelta(hours=2)
    local = moment.isoformat().replace("+00:00", "+02:00")
    assert told(root_api, target_id=event["target_id"], since=local) == ["task.created"]
    assert told(root_api, target_id=event["target_id"], until=local) == []


def test_trail_is_paged_and_counted(ann_api: Api, root_api: Api) -> None:
    task = make(ann_api)
    for title in "abcd":
        patch(ann_api, task, title=title)
    whole, seen = trail(root_api, target_id=task["id"]), []
    query = f"target_id={task['id']}&limit=2&count=true"
    path = f"/audit?{query}"
    while path:
        page = root_api.get(path).get_json()
        assert page["total"] == 5
        seen += page["items"]
        path = page["next_cursor"] and f"/audit?{query}&cursor={page['next_cursor']}"
    assert seen == whole


def test_events_that_come_meanwhile_move_none(ann_api: Api, root_api: Api) -> None:
    whole = trail(root_api)
    first = root_api.get("/audit?limit=1").get_json()
    make(ann_api)
    rest = root_api.get(f"/audit?limit=100&cursor={first['next_cursor']}").get_json()
    assert first["items"] + rest["items"] == whole


@pytest.mark.parametrize(
    ("query", "blame"),
    [
        ("actor_id=x", ["actor_id"]),
        ("target_id=1", ["target_id"]),
        ("since=yesterday", ["since"]),
        ("until=2026-01-01", ["until"]),
        ("until=2026-01-01T00:00:00", ["until"]),
        ("action=a&action=b", ["action"]),
        ("action=%00", ["action"]),
        ("user_id=x", ["user_id"]),
        ("limit=101", ["limit"]),
        ("cursor=x", ["cursor"]),
    ],
)
def test_bad_parameter_is_refused(root_api: Api, query: str, blame: list[str]) -> None:
    answer = root_api.get(f"/audit?{query}")
    assert (slug_of(answer), blamed(answer)) == ((422, "invalid-parameter"), blame)


def test_trail_is_for_admins_and_says_who_tried(
    app: Flask, ann: Actor, ann_api: Api, root_api: Api
) -> None:
    assert slug_of(ann_api.get("/audit")) == (403, "insufficient-scope")
    (event,) = trail(root_api, action="admin.denied")
    assert (event["actor_id"], event["changes"]) == (ann.id, {"route": [None, "/api/v1/audit"]})


def test_admins_token_without_the_scope_does_not_read_it(app: Flask, root_api: Api) -> None:
    scopes = ["tasks:read", "profile:read"]
    made = root_api.post("/tokens", {"name": "x", "scopes": scopes}).get_json()
    assert slug_of(Api(app, made["token"]).get("/audit")) == (403, "insufficient-scope")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nothing_changes_the_trail(app: Flask, root_api: Api, method: str) -> None:
    with app.app_context():
        before = rows(AuditEvent)
    for path in ("/audit", f"/audit/{before[0].id}"):
        assert root_api.call(method, path, json={}).status_code in (404, 405)
    with app.app_context():
        assert rows(AuditEvent) == before


def test_reading_the_trail_adds_nothing_to_it(app: Flask, root: Actor, root_api: Api) -> None:
    assert trail(root_api) == trail(root_api)


def test_what_somebody_did_is_there_after_they_are_gone(
    app: Flask, ann: Actor, ann_api: Api, root_api: Api
) -> None:
    task = make(ann_api)
    assert signed_in_api(app, ann).delete("/users/me").status_code == 204
    assert told(root_api, target_id=task["id"]) == ["task.created"]
    assert told(root_api, target_id=ann.id)[0] == "user.deleted"


def test_lack_of_a_scope_that_anybody_may_hold_is_no_attempt_at_an_admins_rights(
    app: Flask, ann_api: Api, root_api: Api
) -> None:
    made = ann_api.post("/tokens", {"name": "x", "scopes": ["tasks:read"]}).get_json()
    answer = Api(app, made["token"]).get("/users/me")
    assert slug_of(answer) == (403, "insufficient-scope")
    assert trail(root_api, action="admin.denied") == []
