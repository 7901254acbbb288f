"""The passkey forms, filled in as the script of the pages does."""

import html
import re
from datetime import timedelta
from typing import Any

import orjson
import pytest
from flask import Flask

from app.models import Factor, Session
from app.models.spent_challenge import CHALLENGE_LIFE
from app.models.types import now
from app.pages import passkey_challenges
from app.services.factors.webauthn_messages import Challenge, encoded
from app.services.shared.actor import Actor
from tests.conftest import PASSWORD, MakeApp
from tests.support.authenticator import Authenticator
from tests.support.clients import Browser
from tests.support.rows import actions, rows

SETTINGS = "/settings/two-factor/passkeys"
PROOF = {"current_password": PASSWORD}


@pytest.fixture
def device(app: Flask) -> Authenticator:
    return Authenticator("localhost", app.config["PUBLIC_URL"])


def asked(text: str) -> Challenge:
    """Return the challenge of the page."""
    found = re.search(r'data-options="([^"]+)"', text)
    assert found
    return Challenge(orjson.loads(html.unescape(found[1]))["challenge"], now())


def add(browser: Browser, device: Authenticator) -> int:
    page = browser.post(f"{SETTINGS}/new", PROOF, form=f"{SETTINGS}/new").text
    made = {"name": "Phone", "credential": device.make(asked(page))}
    return browser.post(SETTINGS, made).status_code


def test_is_added_with_a_name_and_logs_in_alone(
    app: Flask, ann_browser: Browser, browser: Browser, device: Authenticator
) -> None:
    assert add(ann_browser, device) == 200
    page = browser.get("/auth/login?next=/tasks").text
    action = "/auth/passkey?next=/tasks"
    assert f'action="{action}"' in page
    answer = browser.post(action, {"credential": device.sign(asked(page))})
    assert (answer.status_code, answer.location) == (303, "/tasks")
    with app.app_context():
        assert [factor.name for factor in rows(Factor)] == ["Phone"]


def test_comes_after_the_password(
    ann_browser: Browser, browser: Browser, device: Authenticator
) -> None:
    add(ann_browser, device)
    assert browser.sign_in("ann", PASSWORD).location == "/auth/two-factor"
    page = browser.get("/auth/two-factor").text
    signed = {"credential": device.sign(asked(page), verified=False)}
    assert browser.post("/auth/two-factor/passkey", signed).location == "/"
    assert browser.get("/tasks").status_code == 200


def test_alone_the_device_must_have_checked_who_holds_it(
    app: Flask, ann_browser: Browser, browser: Browser, device: Authenticator
) -> None:
    add(ann_browser, device)
    page = browser.get("/auth/login").text
    signed = {"credential": device.sign(asked(page), verified=False)}
    assert browser.post("/auth/passkey", signed).location == "/auth/login"
    assert "does not sign you in" in browser.get("/auth/login").text
    with app.app_context():
        assert len(rows(Session)) == 1


def test_confirms_who_it_is(app: Flask, ann_browser: Browser, device: Authenticator) -> None:
    add(ann_browser, device)
    page = ann_browser.get("/auth/reauthenticate").text
    signed = {"credential": device.sign(asked(page))}
    answer = ann_browser.post("/auth/reauthenticate/passkey?next=/tasks", signed)
    assert answer.location == "/tasks"
    with app.app_context():
        assert actions()[-1] == "session.proved"


def signals(text: str) -> dict[str, Any]:
    """Return the options of the page's signals to the browser, by name of the signal."""
    found = re.findall(r'data-passkey-signal="(\w+)" data-options="([^"]+)"', text)
    return {name: orjson.loads(html.unescape(options)) for name, options in found}


def test_browser_is_told_the_passkeys_of_the_account_and_its_name(
    app: Flask, ann: Actor, ann_browser: Browser, device: Authenticator
) -> None:
    add(ann_browser, device)
    name, user_id = encoded(device.id), encoded(ann.id.encode())
    account = {"rpId": "localhost", "userId": user_id}
    accepted = {**account, "allAcceptedCredentialIds": [name]}
    details = {**account, "name": "ann", "displayName": "ann"}
    for page in ("/settings/two-factor", "/settings/profile"):
        assert signals(ann_browser.get(page).text) == {
            "signalAllAcceptedCredentials": accepted,
            "signalCurrentUserDetails": details,
        }
    with app.app_context():
        (factor,) = rows(Factor)
    remove = f"/settings/two-factor/{factor.id}/remove"
    page = ann_browser.post(remove, PROOF, form=remove, follow_redirects=True).text
    assert signals(page)["signalAllAcceptedCredentials"]["allAcceptedCredentialIds"] == []
    by_number = ann_browser.get("/settings/profile", headers={"Host": "127.0.0.1"}).text
    assert signals(by_number) == {}


def test_unknown_passkey_is_told_to_the_browser_once(
    ann_browser: Browser, browser: Browser, device: Authenticator
) -> None:
    page = browser.get("/auth/login").text
    browser.post("/auth/passkey", {"credential": device.sign(asked(page))})
    told = {"signalUnknownCredential": {"rpId": "localhost", "credentialId": encoded(device.id)}}
    assert [signals(browser.get("/auth/login").text) for _ in range(2)] == [told, {}]


def test_known_passkey_that_is_refused_is_not(
    ann_browser: Browser, browser: Browser, device: Authenticator
) -> None:
    add(ann_browser, device)
    page = browser.get("/auth/login").text
    browser.post("/auth/passkey", {"credential": device.sign(asked(page), verified=False)})
    assert signals(browser.get("/auth/login").text) == {}


@pytest.mark.parametrize("sent", ["{}", "[]", "x", '{"id": 1}', '{"id": "<b>"}', '{"id": null}'])
def test_odd_answer_is_told_to_nobody(browser: Browser, sent: str) -> None:
    browser.post("/auth/passkey", {"credential": sent}, form="/auth/login")
    assert signals(browser.get("/auth/login").text) == {}


def test_page_that_was_open_for_too_long_asks_again(
    ann_browser: Browser, browser: Browser, device: Authenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(ann_browser, device)
    page = browser.get("/auth/login").text
    later = now() + CHALLENGE_LIFE
    monkeypatch.setattr(passkey_challenges, "now", lambda: later)
    answer = browser.post("/auth/passkey", {"credential": device.sign(asked(page))})
    assert answer.location == "/auth/login"
    assert "open too long" in browser.get("/auth/login").text


@pytest.mark.parametrize(
    ("site", "host", "told"),
    [
        ("http://localhost:8000", "localhost", ""),
        ("https://tasks.example.org", "tasks.example.org", ""),
        ("http://127.0.0.1:8000", "localhost:8000", ""),
        ("http://127.0.0.1:8000", "127.0.0.1:8000", "Open http://localhost:8000"),
        ("http://localhost:8000", "127.0.0.1:8000", "Open http://localhost:8000"),
        ("https://tasks.example.org", "localhost", "Open https://tasks.example.org"),
        ("https://192.0.2.1", "192.0.2.1", "Passkeys do not work here"),
        ("http://tasks.example.org", "tasks.example.org", "Passkeys do not work here"),
    ],
)
@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_sign_in_page_names_the_address_where_passkeys_work(
    other_app: MakeApp, site: str, host: str, told: str
) -> None:
    page = Browser(other_app(PUBLIC_URL=site)).get("/auth/login", headers={"Host": host}).text
    words = " ".join(re.sub("<[^>]*>", "", page).split())
    assert told in words
    assert ("Passkeys do not work" in words) == bool(told)
    assert ("data-options" in page) != bool(told)


def test_two_tabs_ask_the_same(browser: Browser) -> None:
    first, second = (asked(browser.get("/auth/login").text).value for _ in range(2))
    assert first == second


def test_password_is_good_for_ten_minutes(
    app: Flask, ann_browser: Browser, device: Authenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = ann_browser.post(f"{SETTINGS}/new", PROOF, form=f"{SETTINGS}/new").text
    fields = {"name": "x", "credential": device.make(asked(page))}
    later = now() + timedelta(minutes=10)
    monkeypatch.setattr(passkey_challenges, "now", lambda: later)
    assert ann_browser.post(SETTINGS, fields).location == f"{SETTINGS}/new"
    with app.app_context():
        assert rows(Factor) == []


def test_password_given_again_is_good_for_another_ten(
    ann_browser: Browser, device: Authenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann_browser.post(f"{SETTINGS}/new", PROOF, form=f"{SETTINGS}/new")
    later = now() + timedelta(minutes=11)
    monkeypatch.setattr(passkey_challenges, "now", lambda: later)
    assert add(ann_browser, device) == 200


def test_challenge_for_something_else_adds_none(
    app: Flask, ann_browser: Browser, device: Authenticator
) -> None:
    add(ann_browser, device)
    page = ann_browser.get("/auth/reauthenticate").text
    other = Authenticator(device.rp_id, device.origin)
    fields = {"name": "x", "credential": other.make(asked(page))}
    assert ann_browser.post(SETTINGS, fields).location == f"{SETTINGS}/new"
    with app.app_context():
        assert len(rows(Factor)) == 1


def test_wrong_password_leads_no_further(ann_browser: Browser) -> None:
    fields = {"current_password": "wrong"}
    answer = ann_browser.post(f"{SETTINGS}/new", fields, form=f"{SETTINGS}/new")
    assert answer.status_code == 422
    assert "data-options" not in answer.text


def test_nobody_half_way_is_sent_to_the_password(browser: Browser) -> None:
    answer = browser.post("/auth/two-factor/passkey", {"credential": "{}"}, form="/auth/login")
    assert answer.location == "/auth/login"


def test_credential_that_is_no_passkey_is_said_so(
    ann_browser: Browser, device: Authenticator
) -> None:
    page = ann_browser.post(f"{SETTINGS}/new", PROOF, form=f"{SETTINGS}/new").text
    assert "data-options" in page
    answer = ann_browser.post(SETTINGS, {"name": "x", "credential": "{}"})
    assert answer.location == f"{SETTINGS}/new"
    assert "cannot be used" in ann_browser.get(answer.location).text
