"""What a stranger sees of the records of others: nothing, not even that they are there."""

from typing import Any

import pytest
from flask import Flask

from app.services.actor import Actor
from tests.answers import MISSING, slug_of, without_request
from tests.clients import Api
from tests.routes import OPERATIONS, Route
from tests.test_routes import each, everything, on_one_database

ON_RECORDS = [route for route in OPERATIONS if "<id:" in route.rule]
OF_ADMINS = [r for r in ON_RECORDS if r.operation and r.operation.scopes == ("admin",)]
OF_ALL = {"GET /api/v1/users/<id:user_id>"}  # the public record
OF_OWNERS = [r for r in ON_RECORDS if r not in OF_ADMINS and str(r) not in OF_ALL]
SECRETS = ("password", "hash", "secret", "totp")


@pytest.fixture
def anns(ann_api: Api, ann: Actor) -> dict[str, str]:
    """The ids of what is Ann's."""
    task = ann_api.post("/tasks", {"title": "Water the plums"}).get_json()["id"]
    comment = ann_api.post(f"/tasks/{task}/comments", {"body": "Now?"}).get_json()["id"]
    token = ann_api.post("/tokens", {"name": "Backup", "scopes": ["tasks:read"]}).get_json()["id"]
    return {"task_id": task, "comment_id": comment, "token_id": token, "user_id": ann.id}


def call(api: Api, route: Route, values: dict[str, str]) -> Any:
    assert route.operation
    body = getattr(route.operation.body, "example", None)
    return api.call(route.method, route.path(values), json=body)


@on_one_database
@each(OF_OWNERS)
def test_record_of_another_is_like_one_that_is_not_there(
    app: Flask, bob_api: Api, anns: dict[str, str], route: Route
) -> None:
    before = everything(app)
    theirs, none = call(bob_api, route, anns), call(bob_api, route, dict.fromkeys(anns, MISSING))
    assert slug_of(theirs) == (404, "not-found")
    assert without_request(theirs) == without_request(none)
    assert everything(app) == before


@on_one_database
@each(OF_ADMINS)
def test_what_is_an_admins_is_forbidden_there_or_not(
    app: Flask, bob_api: Api, anns: dict[str, str], route: Route
) -> None:
    before = everything(app)
    theirs, none = call(bob_api, route, anns), call(bob_api, route, dict.fromkeys(anns, MISSING))
    assert slug_of(theirs) == (403, "insufficient-scope")
    assert without_request(theirs) == without_request(none)
    assert everything(app) == before


@on_one_database
@each([route for route in OPERATIONS if route.method == "GET"])
def test_no_answer_tells_a_secret_or_anothers_address(
    ann_api: Api, bob: Actor, anns: dict[str, str], route: Route
) -> None:
    values = {**anns, "username": bob.username}
    query = "?format=ndjson" if route.rule.endswith("/export") and "tasks" in route.rule else ""
    answer = ann_api.get(route.path(values) + query)
    if not route.rule.endswith("/openapi.json"):
        assert not any(word in answer.text for word in SECRETS)
        assert "bob@example.com" not in answer.text
