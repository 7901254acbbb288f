"""A stranger sees nothing of others' records, not even that they exist."""

import re
from typing import Any

import pytest
from flask import Flask

from app.models import LinkedAccount, OutboxEntry, Session, Token
from app.services.accounts import unsent_forms
from app.services.openid import linked_accounts
from app.services.openid.person import Person
from app.services.shared.actor import Actor
from app.services.webhooks import deliveries as webhook_deliveries
from tests.conftest import signed_in_browser
from tests.contract.test_routes import each, everything, on_one_database
from tests.support.answers import MISSING, slug_of, without_request
from tests.support.clients import Api, Browser
from tests.support.routes import OPERATIONS, PAGE_ROUTES, Route
from tests.support.rows import add_factor, rows

ON_RECORDS = [route for route in OPERATIONS if "<id:" in route.rule]
OF_ADMINS = [r for r in ON_RECORDS if r.operation and r.operation.scopes == ("admin",)]
OF_ALL = {"GET /api/v1/users/<id:user_id>"}  # the public record
OF_OWNERS = [r for r in ON_RECORDS if r not in OF_ADMINS and str(r) not in OF_ALL]
PAGES_OF_OWNERS = [
    route for route in PAGE_ROUTES if "<id:" in route.rule and not route.rule.startswith("/admin/")
]
SECRETS = ("password", "hash", "secret", "otpauth:", "whsec_", "gAAAA")  # the last: sealed values
UNKNOWN: dict[str, Any] = {"email_verified": False, "username": ""}


@pytest.fixture
def anns(app: Flask, ann_api: Api, ann: Actor) -> dict[str, str]:
    """The ids of Ann's records."""
    task = ann_api.post("/tasks", {"title": "Water the plums"}).get_json()["id"]
    comment = ann_api.post(f"/tasks/{task}/comments", {"body": "Now?"}).get_json()["id"]
    token = ann_api.post("/tokens", {"name": "Backup", "scopes": ["tasks:read"]}).get_json()["id"]
    hook = {"url": "https://9.9.9.9/hook", "events": ["task.created"]}
    webhook = ann_api.post("/webhooks", hook).get_json()["id"]
    signed_in_browser(app, ann)
    with app.app_context():
        linked_accounts.add(ann, Person(issuer="x", subject="y", email="", **UNKNOWN))
        webhook_deliveries.test(ann, webhook)
        return {
            "task_id": task,
            "comment_id": comment,
            "token_id": token,
            "user_id": ann.id,
            "webhook_id": webhook,
            "delivery_id": rows(OutboxEntry, kind="webhook")[0].id,
            "factor_id": add_factor(ann.id),
            "identity_id": rows(LinkedAccount)[0].id,
            "session_id": rows(Session, user_id=ann.id)[0].id,
            "family_id": rows(Token, user_id=ann.id, kind="refresh")[0].family_id,
            "unsent_id": unsent_forms.keep(ann.id, "/tasks/new", [("title", "Plums")]) or "",
        }


def call(api: Api, route: Route, values: dict[str, str]) -> Any:
    assert route.operation
    body = getattr(route.operation.body, "example", None)
    return api.call(route.method, route.path(values), json=body)


@on_one_database
@each(OF_OWNERS)
def test_record_of_another_is_like_one_that_is_not_there(
    app: Flask, bob_api: Api, anns: dict[str, str], route: Route
) -> None:
    assert set(re.findall(r"<id:(\w+)>", route.rule)) <= anns.keys()
    before = everything(app)
    theirs, none = call(bob_api, route, anns), call(bob_api, route, dict.fromkeys(anns, MISSING))
    assert slug_of(theirs) == (404, "not-found")
    assert without_request(theirs) == without_request(none)
    assert everything(app) == before


@on_one_database
@each(PAGES_OF_OWNERS)
def test_page_of_a_record_of_another_is_not_there(
    app: Flask, bob_browser: Browser, anns: dict[str, str], route: Route
) -> None:
    assert set(re.findall(r"<id:(\w+)>", route.rule)) <= anns.keys()
    before, path = everything(app), route.path(anns)
    typed = {"status": "done", "before": "", "after": ""}
    reads = route.method == "GET"
    answer = bob_browser.get(path) if reads else bob_browser.post(path, typed, form="/tasks")
    # Discarding a missing form is no error.
    assert answer.status_code == (303 if route.rule.endswith("/discard") else 404)
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
