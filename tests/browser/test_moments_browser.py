"""Dates in a real Chromium: users type and read their time zone, and the service stores UTC."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from app.services.shared.actor import Actor
from tests.browser.test_browser import chromium, opened, pytestmark, sign_in, url
from tests.contract.test_routes import on_one_database
from tests.pages.test_tasks_pages import make, read

__all__ = ["chromium", "pytestmark", "url"]


@contextmanager
def signed_in(chromium: Browser, url: str, who: Actor, zone: str) -> Iterator[Page]:
    with opened(chromium.new_context(timezone_id=zone, locale="en-US")) as page:
        sign_in(page, url, who.username)
        yield page


def due(app: Flask, actor: Actor, task_id: str) -> str:
    return str(read(app, actor, task_id).due_at)


def save(page: Page) -> None:
    page.locator("main form button[type=submit]").first.click()


@on_one_database
@pytest.mark.parametrize(
    ("zone", "typed", "kept"),
    [
        ("Asia/Tokyo", "2030-01-31T09:00", "2030-01-31 00:00:00+00:00"),
        ("America/New_York", "2026-10-31T09:00", "2026-10-31 13:00:00+00:00"),
        ("America/New_York", "2026-11-02T09:00", "2026-11-02 14:00:00+00:00"),
        ("America/New_York", "2027-03-14T02:30", "2027-03-14 07:30:00+00:00"),  # is skipped
    ],
)
def test_date_is_typed_and_shown_in_the_zone_of_the_browser(
    chromium: Browser, app: Flask, url: str, ann: Actor, zone: str, typed: str, kept: str
) -> None:
    with signed_in(chromium, url, ann, zone) as page:
        page.goto(f"{url}/tasks/new")
        page.get_by_label("Title").fill("Milk")
        page.get_by_label("Due").fill(typed)
        save(page)
        page.get_by_role("heading", name="Milk").wait_for()
        task_id = page.url.rpartition("/")[2]
        assert due(app, ann, task_id) == kept
        hour = "9:00" if "T09" in typed else "3:30"
        for path in (f"/tasks/{task_id}", "/tasks", "/tasks/board"):
            page.goto(url + path)
            expect(page.locator(".due time").first).to_contain_text(f"{hour}\u202fAM")
        page.goto(f"{url}/tasks/{task_id}/edit")
        expect(page.get_by_label("Due")).to_have_value(typed.replace("T02:30", "T03:30"))
        expect(page.locator("#hint-due_at")).to_contain_text(zone)


@on_one_database
def test_date_that_is_not_touched_stays_as_it_is(
    chromium: Browser, app: Flask, url: str, ann: Actor
) -> None:
    """01:30 occurs twice on this day, and the field cannot tell the two apart."""
    moment = datetime.fromisoformat("2026-11-01T06:30:15.123456+00:00")
    task = make(app, ann, due_at=moment)
    with signed_in(chromium, url, ann, "America/New_York") as page:
        page.goto(f"{url}/tasks/{task.id}/edit")
        expect(page.get_by_label("Due")).to_have_value("2026-11-01T01:30")
        expect(page.locator("#hint-due_at")).to_contain_text("EST")
        save(page)
        page.get_by_text("Saved.").wait_for()
    assert due(app, ann, task.id) == str(moment)


@on_one_database
def test_refused_form_keeps_the_date_in_the_zone_of_the_browser(
    chromium: Browser, url: str, ann: Actor
) -> None:
    with signed_in(chromium, url, ann, "Asia/Tokyo") as page:
        page.goto(f"{url}/tasks/new")
        page.get_by_label("Due").fill("2030-01-31T09:00")
        save(page)
        page.get_by_text("Enter a title.").wait_for()
        expect(page.get_by_label("Due")).to_have_value("2030-01-31T09:00")


@on_one_database
def test_half_a_date_is_refused(chromium: Browser, url: str, ann: Actor) -> None:
    with signed_in(chromium, url, ann, "Asia/Tokyo") as page:
        page.goto(f"{url}/tasks/new")
        page.get_by_label("Title").fill("Milk")
        page.get_by_label("Due").press_sequentially("01")
        save(page)
        expect(page.locator("#error-due_at")).to_contain_text("Use a date and a time")


@on_one_database
def test_filter_of_the_audit_trail_takes_the_zone_of_the_browser(
    chromium: Browser, url: str, root: Actor
) -> None:
    with signed_in(chromium, url, root, "Asia/Tokyo") as page:
        page.goto(f"{url}/admin/audit")
        page.get_by_label("Since").fill("2020-01-31T09:00")
        page.locator("main form button[type=submit]").first.click()
        page.wait_for_url("**since=2020-01-31T00%3A00%3A00.000Z**")
        expect(page.get_by_label("Since")).to_have_value("2020-01-31T09:00")


@on_one_database
@pytest.mark.parametrize("width", [1280, 700, 390, 320])
def test_date_field_is_wide_enough_for_its_time(
    chromium: Browser, url: str, ann: Actor, width: int
) -> None:
    with signed_in(chromium, url, ann, "Asia/Tokyo") as page:
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(f"{url}/tasks/new")
        page.get_by_label("Due").fill("2030-12-31T23:59")
        given = page.evaluate("document.getElementById('due_at').offsetWidth")
        page.evaluate("document.getElementById('due_at').style.width = 'max-content'")
        assert page.evaluate("document.getElementById('due_at').offsetWidth") <= given


@on_one_database
def test_form_without_javascript_names_utc(chromium: Browser, url: str, ann: Actor) -> None:
    with opened(chromium.new_context(java_script_enabled=False)) as page:
        sign_in(page, url, ann.username)
        page.goto(f"{url}/tasks/new")
        expect(page.get_by_label("Due")).to_have_accessible_description("In UTC.")
