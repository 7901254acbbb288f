"""Every page of the URL map in a real Chromium, with a long word in each text of a user."""

import re
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page

from app.services.shared.actor import Actor
from app.services.tasks import tasks
from tests.browser.test_browser import chromium, opened, pytestmark, url
from tests.conftest import PASSWORD
from tests.contract.test_routes import OPEN, on_one_database
from tests.support import full_pages
from tests.support.full_pages import add_factors, make_links, word
from tests.support.page_faults import faults, overflows
from tests.support.routes import PAGE_ROUTES, Route

__all__ = ["chromium", "pytestmark", "url"]
# Routes that answer without a page.
NO_PAGES = {
    "/.well-known/change-password",
    "/.well-known/passkey-endpoints",
    "/.well-known/security.txt",
    "/auth/openid/callback",
    "/auth/openid/callback/<key>",
    "/auth/openid/start",
    "/auth/openid/start/<key>",
    "/healthz",
    "/readyz",
    "/robots.txt",
    "/static/<path:filename>",
    "/tasks/export",
}
# Pages that need an earlier step, which the named tests take.
REACHED = {
    "/auth/openid/link": "test_openid_browser.py",
    "/auth/two-factor": "test_page_for_the_second_factor_holds",
}
ROUTES = [
    route
    for route in PAGE_ROUTES
    if route.method == "GET" and route.rule not in NO_PAGES | {*REACHED}
]
STRANGERS = [route for route in ROUTES if str(route) in OPEN]
OWN = [route for route in ROUTES if str(route) not in OPEN or route.rule == "/"]
LOOKS = [("light", 1280), ("dark", 320)]
looks = pytest.mark.parametrize(("scheme", "width"), LOOKS)


@pytest.fixture
def context(chromium: Browser, scheme: str, width: int) -> BrowserContext:
    size = {"width": width, "height": 800}
    return chromium.new_context(bypass_csp=True, color_scheme=scheme, viewport=size)  # type: ignore[arg-type]


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    with opened(context) as page:
        yield page


def visit(
    page: Page,
    url: str,
    routes: list[Route],
    values: dict[str, str],
    look: Callable[[Page], list[str]] = faults,
) -> list[str]:
    """Return the faults that `look` finds on the page of each route."""
    found = []
    for route in routes:
        path = values.get(route.rule) or route.path(values)
        answer = page.goto(url + path)
        if answer is None or answer.status != 200 or page.url != url + path:
            found.append(f"{path}: leads to {page.url} ({answer and answer.status})")
        found += look(page)
    return found


def sign_in(page: Page, url: str, username: str) -> None:
    page.goto(f"{url}/auth/login")
    page.get_by_label("Email or username").fill(username)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.locator("main form button[type=submit]").first.click()
    page.wait_for_url(lambda address: "/auth/login" not in address)


@looks
@on_one_database
@pytest.mark.usefixtures("mailbox")  # some forms need mail
def test_every_page_holds_long_words(app: Flask, url: str, page: Page) -> None:
    person, values = full_pages.fill(app)
    values |= make_links(app, person.id)
    found = visit(page, url, STRANGERS, values)
    sign_in(page, url, person.username)
    values["factor_id"] = add_factors(app, person.id)
    found += visit(page, url, OWN, values)
    assert not found, "\n".join(found)


@pytest.mark.parametrize(("scheme", "width"), [("dark", 1280)])
@on_one_database
@pytest.mark.usefixtures("mailbox")
def test_every_page_without_content_has_no_fault(url: str, page: Page, root: Actor) -> None:
    values = {"user_id": root.id, "username": root.username, "slug": "not-found"}
    routes = [route for route in OWN if not missing(route, values)]
    sign_in(page, url, root.username)
    found = visit(page, url, routes, values)
    assert not found, "\n".join(found)


def missing(route: Route, values: dict[str, str]) -> set[str]:
    """Return the variables of the route without a value."""
    return set(re.findall(r"(\w+)>", route.rule)) - set(values)


@pytest.mark.parametrize("width", [1280, 390, 320])
@on_one_database
def test_every_page_holds_long_words_without_javascript(
    chromium: Browser, app: Flask, url: str, width: int
) -> None:
    person, values = full_pages.fill(app)
    size = {"width": width, "height": 800}
    with opened(chromium.new_context(java_script_enabled=False, viewport=size)) as page:  # type: ignore[arg-type]
        sign_in(page, url, person.username)
        values["factor_id"] = add_factors(app, person.id)
        found = visit(page, url, OWN, values, overflows)
    assert not found, "\n".join(found)


@looks
@on_one_database
def test_page_for_the_second_factor_holds(app: Flask, url: str, page: Page) -> None:
    person, _ = full_pages.fill(app)
    add_factors(app, person.id)
    sign_in(page, url, person.username)
    assert page.url.endswith("/auth/two-factor")
    assert faults(page) == []


@looks
@on_one_database
def test_answer_to_a_form_holds_long_words(app: Flask, url: str, page: Page) -> None:
    person, values = full_pages.fill(app)
    sign_in(page, url, person.username)
    found = []
    for act in (refused_task, stale_task, refused_import, new_token, new_webhook, reset_link):
        act(app, page, url, values)
        found += faults(page)
    found += faults(page, f"{url}/{word()}")
    assert not found, "\n".join(found)


def send(page: Page) -> None:
    page.locator("main form button[type=submit]").first.click()


def refused_task(_app: Flask, page: Page, url: str, _values: dict[str, str]) -> None:
    page.goto(f"{url}/tasks/new")
    for label in ("Title", "Description", "Labels", "Assignee"):
        page.get_by_label(label).fill(word())
    send(page)
    page.get_by_text("There is no such user.").wait_for()


def stale_task(app: Flask, page: Page, url: str, values: dict[str, str]) -> None:
    page.goto(f"{url}/tasks/{values['task_id']}/edit")
    with app.app_context():
        actor = Actor(id=values["user_id"])
        news = {"title": word(start="n"), "description": word(start="n"), "labels": ["n"]}
        tasks.update(actor, values["task_id"], news)
    page.get_by_label("Title").fill(word(start="m"))
    send(page)
    page.get_by_text("Somebody changed this task").wait_for()


def refused_import(_app: Flask, page: Page, url: str, _values: dict[str, str]) -> None:
    page.goto(f"{url}/tasks/import")
    content = f"title,status\n{word()},{word()}\n".encode()
    file = {"name": f"{word(100)}.csv", "mimeType": "text/csv", "buffer": content}
    page.get_by_label("File").set_input_files(file)  # type: ignore[arg-type]
    send(page)
    page.get_by_role("heading", name="Lines to fix").wait_for()


def new_token(_app: Flask, page: Page, url: str, _values: dict[str, str]) -> None:
    page.goto(f"{url}/settings/tokens")
    page.get_by_label("Name").fill(word(100))
    page.get_by_label("tasks:read").check()
    send(page)
    page.get_by_role("heading", name="Your new token").wait_for()


def new_webhook(_app: Flask, page: Page, url: str, _values: dict[str, str]) -> None:
    page.goto(f"{url}/settings/webhooks")
    page.get_by_label("URL").fill("https://1.1.1.1/")
    page.get_by_label("task.created").check()
    send(page)
    page.get_by_role("heading", name="The secret of your new webhook").wait_for()


def reset_link(_app: Flask, page: Page, url: str, values: dict[str, str]) -> None:
    page.goto(f"{url}/admin/users/{values['user_id']}")
    page.get_by_role("button", name="Create a password link").click()
    page.get_by_role("heading", name="Password link").wait_for()


def test_every_page_that_is_left_out_is_there() -> None:
    assert {route.rule for route in PAGE_ROUTES} >= NO_PAGES | {*REACHED}
