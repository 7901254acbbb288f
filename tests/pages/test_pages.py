"""Rules for all pages; the start page, problems, profiles, settings and errors."""

import inspect
import re
from dataclasses import replace
from datetime import datetime, timedelta
from html import unescape
from typing import Any

import pytest
from flask import Flask, url_for

from app.errors import AppError, Unavailable
from app.models.types import now
from app.pages.templating import KEPT_MAX, _url_for, quick_url_for
from app.product import NAME
from app.services.access import page_sessions
from app.services.shared.actor import Actor
from app.services.tasks import tasks
from app.web.error_handlers import BY_STATUS, problems
from tests.conftest import PASSWORD, MakeApp
from tests.support.clients import Browser

OPEN = ["/", "/about", "/problems", "/auth/login", "/auth/register"]
OWN = [
    "/",
    "/tasks",
    "/tasks/board",
    "/tasks/import",
    "/tasks/new",
    "/tasks/trash",
    "/settings/data",
    "/settings/password",
    "/settings/profile",
    "/settings/sessions",
    "/settings/tokens",
]


@pytest.mark.parametrize("path", [*OPEN, *OWN, "/users/ann", "/missing"])
def test_each_page_has_a_title_a_description_and_one_heading(
    ann_browser: Browser, path: str
) -> None:
    page = ann_browser.get(path, follow_redirects=True).text
    assert re.search(rf"<title>[^<]+ · {NAME}</title>", page)
    assert re.search(r'<meta name="description" content="[^"]{10,}">', page)
    assert page.count("<h1") == 1


@pytest.mark.parametrize("path", OPEN)
def test_no_page_holds_what_the_policy_refuses(browser: Browser, path: str) -> None:
    page = browser.get(path).text
    assert not re.search(r'<style|<script>|\sstyle="|\son[a-z]+="|javascript:', page)
    assert not re.search(r'(src|href)="(https?:)?//', page)


@pytest.mark.parametrize("path", [*OWN[1:], "/users/ann"])
def test_a_stranger_is_sent_to_sign_in(browser: Browser, path: str) -> None:
    assert browser.get(path).location == f"/auth/login?next={path}"


def test_static_links_carry_the_content_of_the_file(browser: Browser) -> None:
    found = re.search(r'href="(/static/app.css\?v=[0-9a-f]{8})"', browser.get("/").text)
    assert found
    with browser.client.get(found[1]) as answer:
        assert "max-age=31536000" in answer.headers["Cache-Control"]


@pytest.mark.parametrize(
    ("endpoint", "values"),
    [
        ("main.tasks.index", {"label": "a&b"}),
        ("main.tasks.index", {"label": ["a", "b"], "page": 2, "q": None}),
        ("main.tasks.index", {"_external": True, "_anchor": "list"}),
        ("static", {"filename": "app.css"}),
    ],
)
def test_link_that_is_remembered_is_the_one_that_flask_gives(
    app: Flask, endpoint: str, values: dict[str, Any]
) -> None:
    for root in ("", "/below", ""):
        with app.test_request_context("/", environ_overrides={"SCRIPT_NAME": root}):
            links = {quick_url_for(endpoint, **values), quick_url_for(endpoint, **values)}
            assert links == {url_for(endpoint, **values)}
            assert root in links.pop()


@pytest.mark.parametrize("host", ["a.example", "b.example"])
def test_link_with_a_host_has_that_of_its_request(app: Flask, host: str) -> None:
    with app.test_request_context("/", base_url=f"http://{host}/"):
        assert quick_url_for("main.tasks.index", _scheme="https") == f"https://{host}/tasks"


def test_long_link_is_not_remembered(app: Flask) -> None:
    with app.test_request_context("/"):
        before = _url_for.cache_info()
        assert quick_url_for("main.tasks.index", q="x" * (KEPT_MAX + 1)).endswith("xx")
    assert _url_for.cache_info() == before


def test_the_dashboard_shows_figures_and_lists(
    app: Flask, ann: Actor, ann_browser: Browser
) -> None:
    assert "No tasks yet" in ann_browser.get("/").text
    with app.app_context():
        tasks.create(ann, {"title": "Buy milk"})
    page = ann_browser.get("/").text
    assert "Buy milk" in page
    assert "<svg viewBox" in page
    assert "Show figures as a table" in page


@pytest.mark.parametrize("slug", sorted(problems()))
def test_each_problem_has_its_page(browser: Browser, slug: str) -> None:
    assert browser.get(f"/problems/{slug}").status_code == 200
    assert f'href="/problems/{slug}"' in browser.get("/problems").text


@pytest.mark.parametrize("kind", [Unavailable])
def test_a_problem_is_explained_by_the_kind_that_gave_it_its_name(
    browser: Browser, kind: type[AppError]
) -> None:
    assert any(heir.slug == kind.slug for heir in kind.__subclasses__())
    assert problems()[kind.slug] is kind
    assert BY_STATUS[kind.status] is kind
    assert str(inspect.getdoc(kind)) in unescape(browser.get(f"/problems/{kind.slug}").text)


@pytest.mark.parametrize(
    ("method", "path", "detail"),
    [
        ("GET", "/missing", "There is nothing at this address."),
        ("PUT", "/about", "This address does not accept PUT."),
    ],
)
def test_a_bare_error_is_told_in_words_of_ours(
    browser: Browser, method: str, path: str, detail: str
) -> None:
    assert detail in browser.client.open(path, method=method).text


def test_an_unknown_problem_is_not_found(browser: Browser) -> None:
    assert browser.get("/problems/evil").status_code == 404


def test_a_profile_shows_name_and_age_and_no_more(bob_browser: Browser, ann: Actor) -> None:
    page = bob_browser.get("/users/ANN").text
    assert "<h1>ann</h1>" in page
    assert "ann@example.com" not in page


@pytest.mark.parametrize("name", ["nobody", "a%00b", "%ED%A0%80", "x" * 3000])
def test_an_odd_name_is_not_found(ann_browser: Browser, name: str) -> None:
    assert ann_browser.get(f"/users/{name}").status_code == 404


def test_the_username_changes_without_the_password(ann_browser: Browser) -> None:
    fields = {"username": "anna", "email": "ann@example.com"}
    assert ann_browser.post("/settings/profile", fields).status_code == 303
    assert "anna" in ann_browser.get("/settings/profile").text


@pytest.mark.parametrize(("password", "status"), [("", 422), ("wrong", 422), (PASSWORD, 303)])
def test_the_email_changes_by_the_password_alone(
    ann_browser: Browser, password: str, status: int
) -> None:
    fields = {"username": "ann", "email": "new@example.com", "current_password": password}
    assert ann_browser.post("/settings/profile", fields).status_code == status


def test_a_new_password_ends_the_other_sessions(
    app: Flask, ann: Actor, ann_browser: Browser
) -> None:
    other = Browser(app)
    other.sign_in("ann", PASSWORD)
    fields = {"current_password": PASSWORD, "password": "nine apples, no pear"}
    assert ann_browser.post("/settings/password", fields).status_code == 303
    assert ann_browser.get("/tasks").status_code == 200
    assert other.get("/tasks").status_code == 302


@pytest.mark.parametrize("field", ["current_password", "password"])
def test_a_refused_password_is_blamed(ann_browser: Browser, field: str) -> None:
    fields = {"current_password": PASSWORD, "password": "nine apples, no pear", field: "wrong"}
    answer = ann_browser.post("/settings/password", fields)
    assert answer.status_code == 422
    assert f'id="error-{field}"' in answer.text


def test_an_error_page_is_drawn_while_the_database_is_away(
    ann_browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise Unavailable("The database cannot be reached.")

    monkeypatch.setattr(page_sessions, "load", away)
    answer = ann_browser.get("/tasks")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert "Temporarily unavailable" in answer.text
    assert ann_browser.get("/missing").status_code == 404


def test_a_page_of_an_error_names_the_request(browser: Browser) -> None:
    answer = browser.get("/missing", headers={"X-Request-ID": "abc-1"})
    assert "abc-1" in answer.text
    assert answer.headers["X-Request-ID"] == "abc-1"


def test_robots_are_told_where_not_to_go(browser: Browser) -> None:
    assert "Disallow: /admin/" in browser.get("/robots.txt").text


def test_who_finds_a_weakness_is_told_whom_to_write_to(other_app: MakeApp) -> None:
    path = "/.well-known/security.txt"
    assert Browser(other_app()).get(path).status_code == 404
    answer = Browser(other_app(SECURITY_CONTACT="security@example.org")).get(path)
    assert answer.mimetype == "text/plain"
    fields = dict(line.split(": ", 1) for line in answer.text.splitlines())
    assert fields["Contact"] == "mailto:security@example.org"
    assert timedelta(0) < datetime.fromisoformat(fields["Expires"]) - now() < timedelta(days=366)
    assert fields["Canonical"].endswith(path)


def test_password_manager_finds_where_to_change_the_password(browser: Browser) -> None:
    answer = browser.get("/.well-known/change-password")
    assert (answer.status_code, answer.location) == (302, "/settings/password")


def test_password_manager_finds_where_passkeys_are_added(app: Flask, browser: Browser) -> None:
    answer = browser.get("/.well-known/passkey-endpoints")
    url = f"{app.config['PUBLIC_URL']}/settings/two-factor"
    assert (answer.mimetype, answer.get_json()) == (
        "application/json",
        {"enroll": url, "manage": url},
    )


def test_page_names_the_address_where_passkeys_work(
    app: Flask, ann_browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = app.extensions["settings"]
    page, elsewhere = "/settings/two-factor", "https://tasks.example.org"
    assert "Passkeys do not work at this address" not in ann_browser.get(page).text
    monkeypatch.setitem(app.extensions, "settings", replace(settings, public_url=elsewhere))
    assert f'href="{elsewhere}{page}"' in ann_browser.get(page).text
