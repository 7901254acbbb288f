"""Rules for every route, present and future: who may call the route, and its forbidden effects.

The tests are generated from the URL map: a new route obeys the rules or is listed here.
"""

from typing import Any

import pytest
from flask import Blueprint, Flask
from sqlalchemy import select
from werkzeug.exceptions import NotFound
from werkzeug.routing import RequestRedirect

from app.extensions import db
from app.models.base import Base
from app.services.accounts import unsent_forms
from app.services.shared.actor import Actor
from app.web.application import Application
from tests.support.answers import blamed, slug_of
from tests.support.authorization import WEBHOOK
from tests.support.clients import Api, Browser
from tests.support.routes import API_ROUTES, APP, DOCUMENT, OPERATIONS, PAGE_ROUTES, ROUTES, Route
from tests.support.rows import add_factor

OPEN = {
    "GET /",
    "GET /.well-known/change-password",
    "GET /.well-known/passkey-endpoints",
    "GET /.well-known/security.txt",
    "GET /about",
    "GET /api/docs",
    "GET /api/v1/openapi.json",
    "GET /auth/confirm/<token>",
    "GET /auth/undo/<token>",
    "GET /auth/forgot",
    "GET /auth/invite/<token>",
    "GET /auth/login",
    "GET /auth/openid/callback",
    "GET /auth/openid/callback/<key>",
    "GET /auth/openid/link",
    "GET /auth/openid/start",
    "GET /auth/openid/start/<key>",
    "GET /auth/register",
    "GET /auth/reset/<token>",
    "GET /auth/two-factor",
    "GET /auth/two-factor/lost",
    "GET /healthz",
    "GET /problems",
    "GET /problems/<slug>",
    "GET /readyz",
    "GET /robots.txt",
    "GET /static/<path:filename>",
    "POST /api/v1/auth/confirm",
    "POST /api/v1/auth/forgot",
    "POST /api/v1/auth/login",
    "POST /api/v1/auth/refresh",
    "POST /api/v1/auth/reset",
    "POST /api/v1/users",
    "POST /auth/confirm/<token>",
    "POST /auth/undo/<token>",
    "POST /auth/confirm/<token>/not-me",
    "POST /auth/forgot",
    "POST /auth/invite/<token>",
    "POST /auth/login",
    "POST /auth/passkey",
    "POST /auth/two-factor/passkey",
    "POST /auth/register",
    "POST /auth/reset/<token>",
    "POST /auth/two-factor",
}
# A rule for all routes does not depend on the database: one database is enough.
on_one_database = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


def each(routes: list[Route]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("route", routes, ids=str)


def of(routes: list[Route], *methods: str, opened: bool | None = None) -> list[Route]:
    return [
        route
        for route in routes
        if route.method in methods and opened in (None, str(route) in OPEN)
    ]


CLOSED_API = [route for route in API_ROUTES if str(route) not in OPEN]
ADMIN_API = [r for r in OPERATIONS if r.operation and r.operation.scopes == ("admin",)]
ADMIN_PAGES = [route for route in PAGE_ROUTES if route.rule.startswith("/admin/")]


@pytest.fixture
def there(app: Flask, root_api: Api, root_browser: Browser, root: Actor) -> dict[str, str]:
    """Values for the variables of routes: ids of existing records."""
    task = root_api.post("/tasks", {"title": "Water the plums"}).get_json()["id"]
    comment = root_api.post(f"/tasks/{task}/comments", {"body": "Done."}).get_json()["id"]
    token = root_api.post("/tokens", {"name": "of a test", "scopes": ["tasks:read"]}).get_json()
    webhook = root_api.post("/webhooks", WEBHOOK).get_json()["id"]
    with app.app_context():
        factor = add_factor(root.id)
        unsent = unsent_forms.keep(root.id, "/tasks/new", [("title", "Water the plums")])
    return {
        "webhook_id": webhook,
        "factor_id": factor,
        "unsent_id": unsent or "",
        "task_id": task,
        "comment_id": comment,
        "token_id": token["id"],
        "user_id": root.id,
        "username": "root",
        "slug": "not-found",
        "filename": "app.css",
    }


def test_every_open_route_is_there() -> None:
    assert {str(route) for route in ROUTES} >= OPEN


@on_one_database
@each(CLOSED_API)
def test_api_needs_a_token(api: Api, route: Route) -> None:
    answer = api.call(route.method, route.path(), json={})
    assert slug_of(answer) == (401, "unauthorized")


@on_one_database
@each(of(API_ROUTES, "GET", "POST", opened=True))
def test_open_part_of_the_api_needs_none(api: Api, route: Route) -> None:
    assert api.call(route.method, route.path(), json={}).status_code in (200, 422)


@on_one_database
@each(ADMIN_API)
def test_admins_part_of_the_api_is_forbidden_to_others(
    ann_api: Api, route: Route, there: dict[str, str]
) -> None:
    override = {"X-HTTP-Method-Override": "GET", "X-Forwarded-User": "root"}
    answer = ann_api.call(route.method, route.path(there), json={}, headers=override)
    assert slug_of(answer) == (403, "insufficient-scope")


@on_one_database
@each(of(PAGE_ROUTES, "GET", opened=False))
def test_page_sends_a_stranger_to_sign_in_and_back(browser: Browser, route: Route) -> None:
    answer = browser.client.get(route.path())
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/auth/login?next=/")


@on_one_database
@each(of(PAGE_ROUTES, "POST", opened=False))
def test_form_does_nothing_for_a_stranger(browser: Browser, route: Route) -> None:
    answer = browser.post(route.path(), form="/auth/login")
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/auth/login")


@on_one_database
@each(ADMIN_PAGES)
def test_admins_pages_are_forbidden_to_others(ann_browser: Browser, route: Route) -> None:
    answer = (
        ann_browser.get(route.path())
        if route.method == "GET"
        else ann_browser.post(route.path(), form="/settings/profile")
    )
    assert answer.status_code == 403


@on_one_database
@each(of(PAGE_ROUTES, "POST"))
def test_form_without_its_token_is_refused(root_browser: Browser, route: Route) -> None:
    forms = [{}, {"csrf_token": ""}, {"csrf_token": "forged"}]
    answers = [root_browser.client.post(route.path(), data=form) for form in forms]
    assert {(answer.status_code, answer.mimetype) for answer in answers} == {(400, "text/html")}


@on_one_database
@each(of(PAGE_ROUTES, "POST"))
def test_form_of_another_site_is_refused(root_browser: Browser, route: Route) -> None:
    foreign = [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
    ]
    root_browser.get("/settings/profile")
    answers = [root_browser.post(route.path(), headers=header) for header in foreign]
    assert [answer.status_code for answer in answers] == [400, 400, 400]


@on_one_database
@each(of(OPERATIONS, "POST"))
def test_api_needs_no_token_of_a_form(root_api: Api, route: Route) -> None:
    foreign = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    answer = root_api.call("POST", route.path(), json={}, headers=foreign)
    assert answer.status_code != 400


def test_no_page_is_changed_by_anything_but_a_form() -> None:
    assert {route.method for route in PAGE_ROUTES} == {"GET", "POST"}


def everything(app: Flask) -> dict[str, list[Any]]:
    """Return all rows but the audit trail's, which also records exports and refusals."""
    tables = [table for table in Base.metadata.sorted_tables if table.name != "audit_events"]
    with app.app_context(), db.engine.connect() as connection:
        return {table.name: list(connection.execute(select(table))) for table in tables}


def test_reading_changes_nothing(
    app: Flask, root_api: Api, root_browser: Browser, there: dict[str, str]
) -> None:
    def read(path: str) -> int:
        client = root_api.client if path.startswith("/api/") else root_browser.client
        with client.get(path, headers=headers) as answer:
            return answer.status_code

    headers = {"Authorization": f"Bearer {root_api.token}"}
    paths = [route.path(there) for route in of(ROUTES, "GET")]
    before = everything(app)
    statuses = {path: read(path) for path in paths}
    assert everything(app) == before
    assert {path for path, status in statuses.items() if status not in (200, 302)} <= {
        "/.well-known/security.txt",  # no contact is set
        "/auth/confirm/nothing",  # void links
        "/auth/undo/nothing",
        "/auth/invite/nothing",
        "/auth/openid/callback",  # off
        "/auth/openid/callback/nothing",
        "/auth/openid/start",
        "/auth/openid/start/nothing",
        "/auth/reset/nothing",
        "/api/v1/tasks/export",  # needs a format
    }


@on_one_database
@each(API_ROUTES)
def test_no_operation_takes_an_unknown_parameter(
    app: Flask, root_api: Api, route: Route, there: dict[str, str]
) -> None:
    body = getattr(route.operation and route.operation.body, "example", None)
    headers = {"Content-Type": "text/csv"} if route.path().endswith("/import") else {}
    before = everything(app)
    path = f"{route.path(there)}?colour=red"
    answer = root_api.call(route.method, path, json=body, headers=headers)
    assert (slug_of(answer), "colour" in blamed(answer)) == ((422, "invalid-parameter"), True)
    assert everything(app) == before


def test_document_describes_every_route_and_no_other() -> None:
    described = {
        (method.upper(), path)
        for path, operations in DOCUMENT["paths"].items()
        for method in operations
    }
    there = {(route.method, route.rule.replace("<id:", "<")) for route in API_ROUTES}
    assert described == {
        (method, rule.replace("<", "{").replace(">", "}")) for method, rule in there
    }


@each([route for route in ROUTES if route.rule != "/" and route.endpoint != "static"])
def test_trailing_slash_is_no_second_url(route: Route) -> None:
    path = route.path()
    other = path.removesuffix("/") if path.endswith("/") else f"{path}/"
    urls = APP.url_map.bind("localhost")
    assert urls.match(path, route.method)[0] == route.endpoint
    with pytest.raises((NotFound, RequestRedirect)):
        urls.match(other, route.method)


@pytest.mark.slow
@on_one_database
@each(of(ROUTES, "GET"))
def test_head_is_answered_like_get_without_the_body(
    root_api: Api, root_browser: Browser, route: Route, there: dict[str, str]
) -> None:
    def ask(method: str) -> Any:
        if route.in_api:
            return root_api.call(method, route.path(there))
        return root_browser.client.open(route.path(there), method=method)

    ask("GET").close()  # the first page sets a cookie
    with ask("GET") as whole, ask("HEAD") as head:
        assert (head.status_code, head.data) == (whole.status_code, b"")
    assert set(head.headers.keys()) == set(whole.headers.keys())
    assert head.headers.get("ETag") == whole.headers.get("ETag")


@on_one_database
@each(API_ROUTES)
def test_options_tells_the_methods_to_anyone(api: Api, route: Route) -> None:
    answer = api.call("OPTIONS", route.path())
    assert (answer.status_code, answer.data) == (200, b"")
    methods = {part.strip() for part in answer.headers["Allow"].split(",")}
    assert methods >= {route.method, "OPTIONS"}
    assert ("PATCH" in methods) == ("Accept-Patch" in answer.headers)


def test_view_that_is_a_coroutine_is_refused_when_it_is_registered() -> None:
    async def view() -> str:
        return ""

    blueprint = Blueprint("theirs", __name__)
    blueprint.add_url_rule("/theirs", view_func=view)
    with pytest.raises(TypeError, match="view is async"):
        Application("theirs").register_blueprint(blueprint)
