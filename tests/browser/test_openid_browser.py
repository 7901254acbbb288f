"""Signing in through an OpenID provider in a real Chromium: the CSP allows every step."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from app.models.linked_account import SUBJECT_MAX
from app.services.shared.actor import Actor
from tests.browser.test_browser import chromium, opened, pytestmark, sign_in
from tests.conftest import PASSWORD
from tests.support.full_pages import word
from tests.support.live import served
from tests.support.openid_provider import LINK, Provider
from tests.support.page_faults import faults

__all__ = ["chromium", "pytestmark"]


@pytest.fixture
def url(app: Flask, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of the service, which the provider redirects to."""
    with served(app) as port:
        address = f"http://localhost:{port}"
        settings = replace(app.extensions["settings"], public_url=address)
        monkeypatch.setitem(app.extensions, "settings", settings)
        provider.callback = f"{address}/auth/openid/callback"
        yield address


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)  # the pages are the same on both
@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without"])
def test_newcomer_comes_in_and_keeps_the_only_way_to(
    chromium: Browser, url: str, javascript: bool
) -> None:
    with opened(chromium.new_context(java_script_enabled=javascript)) as page:
        page.goto(f"{url}/auth/login?next=/settings/identities")
        page.get_by_role("link", name="Continue with Orchard").click()
        expect(page.get_by_role("heading", name="Linked accounts")).to_be_visible()
        page.get_by_role("button", name="Unlink").click()
        expect(page.get_by_text("You could not sign in any more")).to_be_visible()


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without"])
def test_owner_of_the_address_logs_in_and_links(
    chromium: Browser, url: str, provider: Provider, ann: Actor, javascript: bool
) -> None:
    provider.person["email"] = "ann@example.com"
    with opened(chromium.new_context(java_script_enabled=javascript)) as page:
        page.goto(f"{url}/auth/login")
        page.get_by_role("link", name="Continue with Orchard").click()
        page.locator("main").get_by_role("link", name="Sign in").click()
        page.get_by_label("Email or username").fill("ann")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.locator("main").get_by_role("button", name="Sign in").click()
        page.get_by_role("button", name="Link accounts").click()
        expect(page.get_by_text("The accounts are linked.")).to_be_visible()
        page.get_by_role("button", name="Sign out").click()
        page.get_by_role("link", name="Continue with Orchard").click()
        expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 320)])
def test_axe_finds_nothing_on_these_pages(
    chromium: Browser, url: str, provider: Provider, ann: Actor, scheme: str, width: int
) -> None:
    looks = {"color_scheme": scheme, "viewport": {"width": width, "height": 800}}
    provider.person.update(sub=word(SUBJECT_MAX), email=None)
    with opened(chromium.new_context(bypass_csp=True, **looks)) as page:  # type: ignore[arg-type]
        found = faults(page, f"{url}/auth/login")
        page.get_by_role("link", name="Continue with Orchard").click()
        found += faults(page, url + LINK)
        sign_in(page, url, "ann")
        found += faults(page, url + LINK)
        page.get_by_role("button", name="Link accounts").click()
        found += faults(page, f"{url}/settings/identities") + refused(page, url, provider)
    assert found == []


def refused(page: Page, url: str, provider: Provider) -> list[str]:
    """Return axe's faults of the page that refuses a provider's answer."""
    provider.answer = {"state": "of another browser"}
    return faults(page, f"{url}/auth/openid/start")
