"""REQUIRE_ADMIN_MFA: an admin without a second factor has only a user's rights."""

import pytest
from flask import Flask

from app.services.shared.actor import Actor
from tests.api.test_tasks_api import make
from tests.conftest import MakeApp, signed_in_api, signed_in_browser
from tests.support.answers import slug_of
from tests.support.clients import Api
from tests.support.routes import OPERATIONS, PAGE_ROUTES, Route
from tests.support.rows import add_factor, events

NEEDED = (403, "second-factor-required")
ADMIN_API = [r for r in OPERATIONS if r.operation and r.operation.scopes == ("admin",)]
ADMIN_PAGES = [r for r in PAGE_ROUTES if r.rule.startswith("/admin/")]


@pytest.fixture
def strict(other_app: MakeApp) -> Flask:
    return other_app(REQUIRE_ADMIN_MFA="1")


def test_every_admins_operation_asks_for_one(strict: Flask, root: Actor) -> None:
    api = signed_in_api(strict, root)
    answers = {str(r): api.call(r.method, r.path(), json={}) for r in ADMIN_API}
    assert {name: slug_of(answer) for name, answer in answers.items()} == dict.fromkeys(
        map(str, ADMIN_API), NEEDED
    )


def test_every_admins_page_leads_to_the_settings(strict: Flask, root: Actor) -> None:
    browser = signed_in_browser(strict, root)

    def answer(route: Route) -> str | None:
        if route.method == "GET":
            return browser.get(route.path()).location
        return browser.post(route.path(), form="/settings/profile").location

    led = {str(route): answer(route) for route in ADMIN_PAGES}
    assert led == dict.fromkeys(map(str, ADMIN_PAGES), "/settings/two-factor")
    assert "you cannot use admin pages" in browser.get("/settings/two-factor").text


def test_with_one_it_works_at_once(strict: Flask, root: Actor) -> None:
    api, browser = signed_in_api(strict, root), signed_in_browser(strict, root)
    with strict.app_context():
        add_factor(root.id)
    assert api.get("/users").status_code == 200
    assert browser.get("/admin/").status_code == 200


def test_personal_token_of_such_an_admin_waits_too(
    app: Flask, strict: Flask, root_api: Api
) -> None:
    made = root_api.post("/tokens", {"name": "x", "scopes": ["admin"]}).get_json()
    assert slug_of(Api(strict, made["token"]).get("/audit")) == NEEDED


def test_it_is_as_anybody_with_tasks(strict: Flask, root: Actor, ann_api: Api) -> None:
    task = make(ann_api)
    api = signed_in_api(strict, root)
    assert slug_of(api.get(f"/tasks/{task['id']}")) == (404, "not-found")
    assert api.get("/tasks").status_code == 200


def test_others_are_not_asked(strict: Flask, ann: Actor) -> None:
    api = signed_in_api(strict, ann)
    assert api.get("/users/me").status_code == 200
    assert slug_of(api.get("/users")) == (403, "insufficient-scope")


def test_what_was_tried_is_audited(strict: Flask, root: Actor) -> None:
    signed_in_api(strict, root).get("/users")
    with strict.app_context():
        assert len(events("admin.denied")) == 1
