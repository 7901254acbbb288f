"""The main path in a real Chromium, with and without JavaScript: no fault in the console or by axe.

Chromium is Debian's; without it the tests are skipped, on CI they fail.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.conftest import PASSWORD
from tests.support.live import served

CHROMIUM = shutil.which("chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]

# Playwright's 5 s are too short for a machine with many busy processes.
expect.set_options(timeout=30_000)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        CHROMIUM is None and not os.environ.get("CI"), reason="Chromium is not installed"
    ),
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def url(app: Flask) -> Iterator[str]:
    with served(app) as port:
        yield f"http://127.0.0.1:{port}"


@contextmanager
def opened(context: BrowserContext) -> Iterator[Page]:
    """Yield a page. Asserts a console without faults but the status of an error page."""
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    context.close()
    faults = [text for text in said if not text.startswith(("info", "log", "debug"))]
    assert [text for text in faults if "Failed to load resource" not in text] == []


def sign_in(page: Page, url: str, username: str) -> None:
    page.goto(f"{url}/auth/login")
    page.get_by_label("Email or username").fill(username)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.locator("main").get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without"])
def test_from_registering_to_the_trash_and_back(
    chromium: Browser, url: str, javascript: bool
) -> None:
    with opened(chromium.new_context(java_script_enabled=javascript)) as page:
        page.goto(f"{url}/auth/register")
        page.get_by_label("Username").fill("grace")
        page.get_by_label("Email").fill("grace@example.com")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.locator("main form button[type=submit]").click()
        expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()

        page.goto(f"{url}/tasks")
        page.get_by_label("Title of a new task").fill("Count the bugs")
        page.get_by_role("button", name="Add", exact=True).click()
        page.get_by_role("link", name="Count the bugs").click()
        page.get_by_role("link", name="Edit").click()
        page.get_by_label("Title").fill("Count all bugs")
        page.locator("main form button[type=submit]").first.click()
        expect(page.get_by_role("heading", name="Count all bugs")).to_be_visible()

        page.get_by_role("button", name="Mark as done").click()
        expect(page.get_by_role("button", name="Open again")).to_be_visible()
        page.get_by_role("button", name="Delete", exact=True).first.click()
        page.goto(f"{url}/tasks/trash")
        page.get_by_role("button", name="Restore").click()
        page.goto(f"{url}/tasks")
        expect(page.get_by_role("link", name="Count all bugs")).to_be_visible()

        page.get_by_role("button", name="Sign out").click()
        page.goto(f"{url}/tasks")
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_the_page_to_try_the_api_loads(chromium: Browser, url: str) -> None:
    with opened(chromium.new_context()) as page:
        page.goto(f"{url}/api/docs")
        expect(page.get_by_text("Create a task", exact=True)).to_be_visible()
