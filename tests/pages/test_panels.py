"""Pages that show parts of resources work without any, and the navigation follows the resources."""

import re

import pytest
from flask import Flask

from app.admin import panels as admin_panels
from app.main import panels
from app.pages.navigation import ADMIN_LINKS, SITE_LINKS
from app.services.shared.actor import Actor
from tests.support.clients import Browser

on_sqlite = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


@on_sqlite
def test_dashboard_without_panels_leads_to_the_settings(
    ann_browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(panels, "DASHBOARD", ())
    page = ann_browser.get("/")
    assert page.status_code == 200
    assert "Your account is ready." in page.text
    assert "New task" not in page.text


@on_sqlite
def test_admin_pages_without_panels_show_the_accounts(
    root_browser: Browser, ann: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admin_panels, "PANELS", ())
    for path in ("/admin/", f"/admin/users/{ann.id}", f"/admin/users/{ann.id}/delete"):
        page = root_browser.get(path)
        assert page.status_code == 200
        assert "tasks" not in page.text.partition("<main")[2].replace("/admin/tasks", "")


def links(app: Flask, path: str, prefix: str = "") -> dict[str, str]:
    """Return the attribute `aria-current` of each link of the admin navigation, by its URL."""
    with app.test_request_context(path, environ_overrides={"SCRIPT_NAME": prefix}):
        macros = app.jinja_env.get_template("macros.html").module
        drawn = str(macros.page_links(ADMIN_LINKS))  # type: ignore[attr-defined]
    return dict(re.findall(r'<a href="([^"]+)"( aria-current="page")?>', drawn))


@on_sqlite
@pytest.mark.parametrize("prefix", ["", "/desk"])
@pytest.mark.parametrize(
    ("path", "current"),
    [("/admin/", "/admin/"), ("/admin/users", "/admin/users"), ("/admin/users/x", "/admin/users")],
)
def test_navigation_marks_the_current_page(
    app: Flask, path: str, current: str, prefix: str
) -> None:
    found = links(app, path, prefix)
    assert [url for url, mark in found.items() if mark] == [f"{prefix}{current}"]


def test_navigation_names_pages_by_their_blueprint() -> None:
    assert SITE_LINKS == (("main.tasks.index", "Tasks"),)
    assert [text for _, text in ADMIN_LINKS] == [
        *("Overview", "Users", "Tasks", "Tokens", "Webhooks", "Jobs", "Audit", "System"),
    ]
