"""Passkeys in a real Chromium, with its virtual authenticator (WebAuthn Level 2, section 11)."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, CDPSession, Page, expect

from app.models import Factor, Session, User
from app.services.shared.actor import Actor
from tests.browser.test_browser import chromium, opened, pytestmark, sign_in
from tests.conftest import PASSWORD
from tests.support.gunicorn_server import until
from tests.support.live import served
from tests.support.page_faults import faults
from tests.support.rows import actions, events, rows, set_values

__all__ = ["chromium", "pytestmark"]
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
PAGE = "/settings/two-factor"


@pytest.fixture
def url(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of the service by host name, which passkeys need in place of an IP address."""
    with served(app) as port:
        address = f"http://localhost:{port}"
        settings = replace(app.extensions["settings"], public_url=address)
        monkeypatch.setitem(app.extensions, "settings", settings)
        yield address


def device(page: Page, *, autofill: bool = False) -> CDPSession:
    """Add a virtual authenticator with a fingerprint reader to the browser.

    With `autofill` the authenticator answers on the sign-in page at once, as if the user had chosen
    the passkey among the usernames.
    """
    if not autofill:
        page.add_init_script("PublicKeyCredential.isConditionalMediationAvailable = null")
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    made = session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    session.id = made["authenticatorId"]  # type: ignore[attr-defined]
    return session


def add_passkey(page: Page, url: str) -> None:
    page.goto(f"{url}{PAGE}/passkeys/new")
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Name").fill("My phone")
    page.get_by_role("button", name="Create passkey").click()
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()


def keep_codes(page: Page, url: str) -> None:
    """Copy and download the recovery codes that the page shows."""
    shown = page.locator(".codes code").all_inner_texts()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=url)
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").split() == shown
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert set(shown) <= set(download.value.path().read_text().split())


def log_out(page: Page) -> None:
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_passkey_signs_in_alone_and_after_the_password_and_confirms(
    chromium: Browser, app: Flask, url: str, root: Actor
) -> None:
    with opened(chromium.new_context()) as page:
        phone = device(page)
        sign_in(page, url, "root")
        add_passkey(page, url)
        keep_codes(page, url)
        page.goto(f"{url}{PAGE}")
        expect(page.get_by_role("rowheader", name="My phone")).to_be_visible()

        log_out(page)
        page.get_by_role("button", name="Use a passkey").click()
        expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()

        log_out(page)
        page.get_by_label("Email or username").fill("root")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.locator("main").get_by_role("button", name="Sign in", exact=True).click()
        page.get_by_role("button", name="Use a passkey").click()
        expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()

        page.goto(f"{url}/auth/reauthenticate?next=/tasks")
        page.get_by_role("button", name="Confirm with a passkey").click()
        expect(page.get_by_role("heading", name="Tasks", exact=True)).to_be_visible()
        with app.app_context():
            assert actions().count("session.proved") == 1

        # A thief of the device cannot sign in: the device alone proves nothing.
        log_out(page)
        verified = {"authenticatorId": phone.id, "isUserVerified": False}  # type: ignore[attr-defined]
        phone.send("WebAuthn.setUserVerified", verified)
        page.get_by_role("button", name="Use a passkey").click()
        expect(page.get_by_text("The passkey request was declined")).to_be_visible()
        page.get_by_label("Email or username").fill("root")


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_sign_in_page_fills_in_a_passkey_and_its_button_still_works(
    chromium: Browser, app: Flask, url: str, root: Actor
) -> None:
    with opened(chromium.new_context()) as page:
        phone = device(page, autofill=True)
        sign_in(page, url, "root")
        page.get_by_role("link", name="Add a passkey").click()  # the offer
        expect(page.get_by_role("heading", name="Add a passkey")).to_be_visible()
        add_passkey(page, url)
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()

        # No passkey was chosen: the browser waits, and the button starts another request.
        press(phone, by_itself=False)
        log_out(page)
        press(phone, by_itself=True)
        page.get_by_role("button", name="Use a passkey").click()
        expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()
    with app.app_context():
        assert actions().count("session.created") == 3


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_browser_is_told_which_passkeys_count(
    chromium: Browser, app: Flask, url: str, root: Actor
) -> None:
    """After a change of name, a removal, and a sign-in by a passkey of no account."""
    with opened(chromium.new_context()) as page:
        phone = device(page)
        sign_in(page, url, "root")
        add_passkey(page, url)
        with app.app_context():
            (factor,) = rows(Factor)
            set_values(User, root.id, username="groot")
        page.goto(f"{url}/settings/profile")
        page.wait_for_function("document.querySelectorAll('[data-passkey-signal]').length === 2")
        until(lambda: held(phone)[0]["userName"] == "groot")

        log_out(page)
        with app.app_context():
            set_values(Factor, factor.id, credential_id="another")
        page.get_by_role("button", name="Use a passkey").click()
        expect(page.get_by_text("This passkey does not sign you in here.")).to_be_visible()
        until(lambda: held(phone) == [])


def held(phone: CDPSession) -> list[dict[str, Any]]:
    """Return the passkeys on the device."""
    told = phone.send("WebAuthn.getCredentials", {"authenticatorId": phone.id})  # type: ignore[attr-defined]
    found: list[dict[str, Any]] = told["credentials"]
    return found


def press(phone: CDPSession, *, by_itself: bool) -> None:
    """Make the device answer by itself, or wait for its owner."""
    values = {"authenticatorId": phone.id, "enabled": by_itself}  # type: ignore[attr-defined]
    phone.send("WebAuthn.setAutomaticPresenceSimulation", values)


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_copied_passkey_is_refused(chromium: Browser, app: Flask, url: str, root: Actor) -> None:
    """The counter is too low: a copy was used (WebAuthn, 6.1.1)."""
    with opened(chromium.new_context()) as page:
        device(page)
        sign_in(page, url, "root")
        add_passkey(page, url)
        log_out(page)
        with app.app_context():
            (factor,) = rows(Factor)
            set_values(Factor, factor.id, sign_count=1000)
        page.get_by_role("button", name="Use a passkey").click()
        expect(page.get_by_text("This passkey does not sign you in here.")).to_be_visible()
    with app.app_context():
        assert rows(Session) == []
        assert len(events("factor.refused")) == 1


def synced(phone: CDPSession, page: Page) -> None:
    """Copy the passkey of `phone` to the device of `page`. A synced passkey always counts zero."""
    (credential,) = held(phone)
    for device_of in (phone, device(page)):
        target = {"authenticatorId": device_of.id}  # type: ignore[attr-defined]
        device_of.send("WebAuthn.clearCredentials", target)
        # The device increments before it signs: 2^32 - 1 becomes 0.
        device_of.send(
            "WebAuthn.addCredential", {**target, "credential": {**credential, "signCount": -1}}
        )


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_synced_passkey_signs_in_on_a_page_opened_before_its_use_elsewhere(
    chromium: Browser, app: Flask, url: str, root: Actor
) -> None:
    with opened(chromium.new_context()) as phone_page, opened(chromium.new_context()) as page:
        phone = device(phone_page)
        sign_in(phone_page, url, "root")
        add_passkey(phone_page, url)
        synced(phone, page)
        with app.app_context():
            (factor,) = rows(Factor)
            set_values(Factor, factor.id, sign_count=0)
        log_out(phone_page)
        page.goto(f"{url}/auth/login")
        for used in (phone_page, page):
            used.get_by_role("button", name="Use a passkey").click()
            expect(used.get_by_role("heading", name="Dashboard")).to_be_visible()
    with app.app_context():
        assert [row.sign_count for row in rows(Factor)] == [0]


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_what_was_signed_counts_once(chromium: Browser, app: Flask, url: str, root: Actor) -> None:
    """The same cookie and the same answer do not sign in again."""
    with opened(chromium.new_context()) as page:
        device(page)
        sign_in(page, url, "root")
        add_passkey(page, url)
        log_out(page)
        cookies = page.context.cookies()
        with page.expect_request("**/auth/passkey") as sent:
            page.get_by_role("button", name="Use a passkey").click()
        expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()
        log_out(page)
        page.context.clear_cookies()
        page.context.add_cookies(cookies)  # type: ignore[arg-type]
        with app.app_context():
            (factor,) = rows(Factor)
            set_values(Factor, factor.id, sign_count=0)  # as for a passkey without a counter
        form = sent.value.post_data or ""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        page.context.request.post(f"{url}/auth/passkey", data=form, headers=headers)
        page.goto(f"{url}/tasks")
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    with app.app_context():
        assert len(events("factor.refused")) == 1


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 320)])
def test_axe_finds_nothing_on_the_way(
    chromium: Browser, app: Flask, url: str, root: Actor, scheme: str, width: int
) -> None:
    looks = {"color_scheme": scheme, "viewport": {"width": width, "height": 800}}
    with opened(chromium.new_context(bypass_csp=True, **looks)) as page:  # type: ignore[arg-type]
        device(page)
        sign_in(page, url, "root")
        expect(page.get_by_role("button", name="Not now")).to_be_visible()
        found = faults(page)
        found += [f for path in ("/totp", "/passkeys/new") for f in faults(page, url + PAGE + path)]
        found += faults(page, f"{url}/auth/reauthenticate")
        add_passkey(page, url)
        found += faults(page)
        found += faults(page, url + PAGE)
        page.goto(f"{url}{PAGE}/totp")
        page.get_by_label("Current password").fill(PASSWORD)
        page.get_by_role("button", name="Continue").click()
        found += faults(page)
        log_out(page)
        page.get_by_label("Email or username").fill("root")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.locator("main").get_by_role("button", name="Sign in", exact=True).click()
        found += faults(page)
    assert found == []
