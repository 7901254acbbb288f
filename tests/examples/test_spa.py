"""examples/spa in a real Chromium, against the served app: list, add, tick, conflict.

`make examples` installs its packages; without these the test is skipped.
"""

import os
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, expect

import config
from app.services.shared.actor import Actor
from app.services.tasks import tasks
from tests.browser.test_browser import chromium, opened
from tests.conftest import PASSWORD, MakeApp
from tests.support.databases import Database
from tests.support.live import served

__all__ = ["chromium"]  # a fixture

FOLDER = config.ROOT / "examples" / "spa"
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not (FOLDER / "node_modules").exists(), reason="make examples installs its packages"
    ),
]


@pytest.fixture
def app(sqlite_database: Database) -> Flask:
    """The app on SQLite alone: the page does not depend on the database."""
    sqlite_database.empty()
    return sqlite_database.app


@pytest.fixture
def site(tmp_path: Path) -> Iterator[ThreadingHTTPServer]:
    """A server of `tmp_path`, of another origin than the app."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_page_lists_adds_ticks_and_shows_a_conflict(
    other_app: MakeApp,
    ann: Actor,
    site: ThreadingHTTPServer,
    tmp_path: Path,
    chromium: Browser,
) -> None:
    origin = f"http://localhost:{site.server_port}"
    service = other_app(CORS_ORIGINS=origin)
    with service.app_context():
        known = tasks.create(ann, {"title": "Pick plums"})
    with served(service) as port, opened(chromium.new_context()) as page:
        subprocess.run(
            ["npm", "run", "build", "--", "--outDir", tmp_path],
            cwd=FOLDER,
            env={**os.environ, "VITE_API": f"http://localhost:{port}"},
            check=True,
            capture_output=True,
            timeout=180,
        )
        page.goto(origin)
        page.get_by_placeholder("Username or email").fill("ann")
        page.get_by_placeholder("Password").fill("wrong")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_contain_text("Wrong email")
        page.get_by_placeholder("Username or email").fill("ann")
        page.get_by_placeholder("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_label("Pick plums")).not_to_be_checked()

        page.get_by_placeholder("What is to be done?").fill("Wash the jars")
        page.get_by_role("button", name="Add").click()
        page.get_by_label("Wash the jars").click()
        expect(page.get_by_label("Wash the jars")).to_be_checked()

        with service.app_context():  # somebody else is faster
            tasks.update(ann, known.id, {"title": "Pick all plums"})
        page.get_by_label("Pick plums").click()
        expect(page.get_by_role("alert")).to_contain_text("was changed in the meantime")
        page.get_by_label("Pick all plums").click()
        expect(page.get_by_label("Pick all plums")).to_be_checked()
    with service.app_context():
        assert tasks.get(ann, known.id).status == "done"
