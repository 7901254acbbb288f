"""Signing in through an OpenID provider: the redirects there and back."""

import time
from urllib.parse import parse_qs, urlsplit

import pytest
from authlib.common.urls import add_params_to_uri
from flask import Flask

from app.models import LinkedAccount, Session, User
from tests.conftest import MakeApp
from tests.pages.test_auth_pages import FOREIGN
from tests.support.clients import SESSION_COOKIE, Browser
from tests.support.openid_provider import START, Provider, callback_of, go, refusal
from tests.support.rows import actions, rows


def test_nothing_is_offered_unless_it_is_set_up(ann_browser: Browser, browser: Browser) -> None:
    for path in ("/auth/login", "/auth/register"):
        assert "openid" not in browser.get(path).text
    assert "Linked accounts" not in ann_browser.get("/settings/profile").text
    assert [browser.get(p).status_code for p in (START, "/auth/openid/callback")] == [404, 404]


def test_newcomer_gets_an_account_and_is_logged_in(
    app: Flask, browser: Browser, provider: Provider
) -> None:
    for path in ("/auth/login", "/auth/register"):
        assert "Continue with Orchard" in browser.get(path).text
    answer = go(browser)
    assert (answer.status_code, answer.location) == (303, "/")
    assert "carl" in browser.get("/").text
    with app.app_context():
        (user,), (identity,) = rows(User), rows(LinkedAccount)
        assert (user.username, user.email) == ("carl", "carl@example.com")
        assert (user.email_verified, user.role, user.password_hash) == (True, "user", "")
        assert (identity.issuer, identity.subject) == (provider.issuer, "1001")
        assert actions() == ["user.created", "identity.linked", "session.created"]
    assert browser.sign_in("carl", "").status_code in (302, 422)
    assert Browser(app).sign_in("carl", "of nobody").status_code == 422


def test_request_is_bound_to_this_browser_and_asks_no_more_than_it_needs(
    browser: Browser, provider: Provider
) -> None:
    address = urlsplit(browser.get(START).location)
    asked = {name: value for name, (value,) in parse_qs(address.query).items()}
    assert asked.keys() == {
        "response_type",
        "client_id",
        "redirect_uri",
        "scope",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
    }
    assert (asked["scope"], asked["code_challenge_method"]) == ("openid email profile", "S256")
    assert len({asked[name] for name in ("state", "nonce", "code_challenge")}) == 3
    assert min(len(asked[name]) for name in ("state", "nonce", "code_challenge")) == 43


def test_description_and_keys_are_read_once(app: Flask, provider: Provider) -> None:
    for _ in range(2):
        go(Browser(app))
    assert provider.asked == ["description", "token", "keys", "token"]


def test_leads_back_to_the_page_that_was_asked_for(browser: Browser, provider: Provider) -> None:
    assert "next=/tasks" in browser.get("/auth/login?next=/tasks").text
    assert go(browser, f"{START}?next=/tasks?status=done").location == "/tasks?status=done"


@pytest.mark.parametrize("target", [*FOREIGN, "/" + "x" * 1500])
def test_leads_to_no_other_host(
    app: Flask, browser: Browser, provider: Provider, target: str
) -> None:
    assert go(browser, add_params_to_uri(START, [("next", target)])).location == "/"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({"state": "of another browser"}, "state"),
        ({"state": None}, "state"),
        ({"iss": "https://evil.example"}, "iss"),
        ({"iss": None}, "iss"),
        ({"code": None}, "no code"),
        ({"code": "forged\0é"}, "invalid_grant"),
        ({"error": "access_denied"}, "access_denied"),
        ({"error": "<b>\n"}, "error"),
    ],
)
def test_answer_that_is_not_the_providers_is_refused(
    app: Flask, browser: Browser, provider: Provider, answer: dict[str, str | None], why: str
) -> None:
    provider.answer = answer
    refused = go(browser)
    assert refused.headers.getlist("Referrer-Policy") == ["no-referrer"]
    assert refusal(app, refused) == why


def test_issuer_may_be_missing_where_the_provider_never_sends_it(
    browser: Browser, provider: Provider
) -> None:
    provider.description = {"authorization_response_iss_parameter_supported": None}
    provider.answer = {"iss": None}
    assert go(browser).status_code == 303


def test_start_is_good_once(app: Flask, browser: Browser, provider: Provider) -> None:
    callback = callback_of(browser)
    browser.get(callback)
    again = browser.get(callback)
    assert (again.status_code, "Start it again" in again.text) == (400, True)
    with app.app_context():
        assert len(rows(Session)) == 1


def test_start_is_spent_by_a_wrong_answer_too(browser: Browser, provider: Provider) -> None:
    callback = callback_of(browser)
    assert browser.get(callback.replace("state=", "state=x")).status_code == 400
    assert browser.get(callback).status_code == 400


def test_code_is_good_once_with_an_old_cookie_too(
    app: Flask, browser: Browser, provider: Provider
) -> None:
    callback = callback_of(browser)
    cookie = browser.client.get_cookie(SESSION_COOKIE)
    assert cookie is not None
    browser.get(callback)
    thief = Browser(app)
    thief.client.set_cookie(SESSION_COOKIE, cookie.value)
    assert thief.get(callback).status_code == 400


def test_start_is_good_for_ten_minutes(
    browser: Browser, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    callback = callback_of(browser)
    later = time.time() + 601
    monkeypatch.setattr("app.auth.openid.time.time", lambda: later)
    assert browser.get(callback).status_code == 400


def test_answer_without_a_start_is_refused(
    app: Flask, browser: Browser, provider: Provider
) -> None:
    """Else an attacker could sign a visitor in to the attacker's account."""
    callback = callback_of(browser)
    assert Browser(app).get(callback).status_code == 400
    assert "token" not in provider.asked


def test_too_many_refusals_from_one_address_are_stopped_before_the_provider_is_asked(
    browser: Browser, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.services.shared.throttle.ADDRESS_MAX", 2)
    provider.answer = {"code": "forged"}
    statuses = [go(browser).status_code for _ in range(3)]
    assert statuses == [400, 400, 429]
    assert provider.asked.count("token") == 2


def test_all_of_it_is_off_again_where_the_settings_go(other_app: MakeApp) -> None:
    browser = Browser(other_app(OIDC_ISSUER=""))
    assert browser.get(START).status_code == 404


def test_settings_are_what_the_pages_use(other_app: MakeApp) -> None:
    app = other_app(
        OIDC_ISSUER="https://id.example/realms/a",
        OIDC_CLIENT_ID="service",
        OIDC_CLIENT_SECRET="of-the-client",
        OIDC_NAME="Plum & Co",
    )
    assert "Continue with Plum &amp; Co" in Browser(app).get("/auth/login").text
    assert "of-the-client" not in repr(app.extensions["settings"])
