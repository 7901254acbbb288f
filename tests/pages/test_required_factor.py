"""REQUIRE_MFA and REQUIRE_ADMIN_MFA=passkey: an account without the factor can only set one up."""

from dataclasses import replace

import pyotp
import pytest
from flask import Flask

import config
from app.services.shared.actor import Actor
from environment.urls import passkey_origin
from tests.conftest import PASSWORD, MakeApp, signed_in_api, signed_in_browser
from tests.contract.test_routes import OPEN
from tests.support.answers import slug_of
from tests.support.clients import Api
from tests.support.mailbox import Mailbox
from tests.support.routes import OPERATIONS, PAGE_ROUTES, Route
from tests.support.rows import add_factor

NEEDED = (403, "second-factor-required")
SET_UP = "/settings/two-factor"
# The operations and pages for setting up a factor and for signing out.
OPERATIONS_BEFORE = {
    "confirmEmail",
    "confirmTotpFactor",
    "createTotpFactor",
    "getMyAccount",
    "getRecoveryCodeCount",
    "listMyFactors",
    "removeMyFactor",
    "replaceRecoveryCodes",
    "requestEmailConfirmation",
    "signOut",
    "updateMyAccount",
}
PAGES_BEFORE = (
    "/auth/logout",
    "/auth/passkey",
    "/auth/reauthenticate",
    "/settings/confirmation",
    "/settings/profile",
    SET_UP,
)
CLOSED_API = [
    route
    for route in OPERATIONS
    if route.operation
    and route.operation.scopes is not None
    and route.operation.id not in OPERATIONS_BEFORE
]
CLOSED_PAGES = [
    route
    for route in PAGE_ROUTES
    if (str(route) not in OPEN and not route.rule.startswith(PAGES_BEFORE))
    or route.rule in ("/", "/auth/openid/start", "/auth/openid/start/<key>")
]
on_one_database = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


@pytest.fixture
def strict(other_app: MakeApp) -> Flask:
    return other_app(REQUIRE_MFA="all")


@on_one_database
def test_every_other_operation_asks_for_the_factor(strict: Flask, root: Actor) -> None:
    api = signed_in_api(strict, root)
    answers = {str(r): slug_of(api.call(r.method, r.path(), json={})) for r in CLOSED_API}
    assert answers == dict.fromkeys(map(str, CLOSED_API), NEEDED)


@on_one_database
def test_every_other_page_leads_to_the_one_that_sets_it_up(strict: Flask, root: Actor) -> None:
    browser = signed_in_browser(strict, root)

    def answer(route: Route) -> str | None:
        if route.method == "GET":
            return browser.get(route.path()).location
        return browser.post(route.path(), form="/settings/profile").location

    led = {str(route): answer(route) for route in CLOSED_PAGES}
    assert led == dict.fromkeys(map(str, CLOSED_PAGES), SET_UP)


@on_one_database
def test_part_of_a_page_is_led_there_too(strict: Flask, ann: Actor) -> None:
    answer = signed_in_browser(strict, ann).get("/tasks", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (403, SET_UP)


def test_factor_is_set_up_by_the_api_and_everything_works(strict: Flask, ann: Actor) -> None:
    api = signed_in_api(strict, ann)
    assert slug_of(api.get("/tasks")) == NEEDED
    secret = api.post("/users/me/factors/totp", {"current_password": PASSWORD}).get_json()["secret"]
    code = pyotp.TOTP(secret).now()
    assert api.post("/users/me/factors/totp/confirm", {"otp": code}).status_code == 200
    assert api.get("/tasks").status_code == 200


def test_factor_is_set_up_on_the_pages_and_everything_works(strict: Flask, ann: Actor) -> None:
    browser = signed_in_browser(strict, ann)
    assert browser.get("/").location == SET_UP
    assert "You need a second factor" in browser.get(SET_UP).text
    proof = {"current_password": PASSWORD}
    assert "Scan this" in browser.post(f"{SET_UP}/totp", proof, form=f"{SET_UP}/totp").text
    with strict.app_context():
        add_factor(ann.id, "passkey")
    assert browser.get("/tasks").status_code == 200


@pytest.mark.parametrize(
    ("settings", "admin_may", "user_may"),
    [
        ({}, True, True),
        ({"REQUIRE_MFA": "no"}, True, True),
        ({"REQUIRE_ADMIN_MFA": "1"}, True, True),  # with a user's rights: see test_admin_factor.py
        ({"REQUIRE_MFA": "admins"}, False, True),
        ({"REQUIRE_ADMIN_MFA": "passkey"}, False, True),
        ({"REQUIRE_MFA": "all"}, False, False),
    ],
    ids=str,
)
@on_one_database
def test_setting_says_who_needs_a_factor(
    other_app: MakeApp,
    root: Actor,
    ann: Actor,
    settings: dict[str, str],
    admin_may: bool,
    user_may: bool,
) -> None:
    strict = other_app(**settings)
    seen = [signed_in_api(strict, who).get("/tasks").status_code == 200 for who in (root, ann)]
    assert seen == [admin_may, user_may]


def test_app_is_not_enough_where_an_admin_needs_a_passkey(other_app: MakeApp, root: Actor) -> None:
    strict = other_app(REQUIRE_ADMIN_MFA="passkey", REQUIRE_MFA="all")
    api, browser = signed_in_api(strict, root), signed_in_browser(strict, root)
    with strict.app_context():
        add_factor(root.id)
    assert slug_of(api.get("/users")) == NEEDED
    assert browser.get("/admin/").location == SET_UP
    assert "You need a passkey" in browser.get(SET_UP).text
    with strict.app_context():
        add_factor(root.id, "passkey")
    assert api.get("/users").status_code == 200
    assert browser.get("/admin/").status_code == 200


@on_one_database
def test_personal_token_waits_too(app: Flask, strict: Flask, ann_api: Api) -> None:
    made = ann_api.post("/tokens", {"name": "x", "scopes": ["tasks:read"]}).get_json()
    assert slug_of(Api(strict, made["token"]).get("/tasks")) == NEEDED


@on_one_database
def test_address_is_confirmed_before_the_factor(
    app: Flask, mailbox: Mailbox, ann: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With mail a factor needs a confirmed address: the address pages stay available."""
    settings = replace(app.extensions["settings"], require_mfa="all")
    monkeypatch.setitem(app.extensions, "settings", settings)
    browser = signed_in_browser(app, ann)
    assert "Mail the link again" in browser.get(SET_UP).text
    assert browser.post("/settings/confirmation", form=SET_UP).location == "/settings/profile"
    changes = {"email": "anna@example.com", "current_password": PASSWORD}
    assert signed_in_api(app, ann).patch("/users/me", json=changes).status_code == 200


@pytest.mark.parametrize(
    ("site", "origin"),
    [
        ("https://tasks.example.org", "https://tasks.example.org"),
        ("https://tasks.example.org:8443", "https://tasks.example.org:8443"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://tasks.localhost", "http://tasks.localhost"),
        ("http://127.0.0.1:8000", "http://localhost:8000"),
        ("http://[::1]:8000", "http://localhost:8000"),
        ("http://tasks.example.org", ""),
        ("https://192.0.2.1", ""),
        ("https://[2001:db8::1]", ""),
    ],
)
def test_browsers_allow_passkeys_by_name_over_tls_or_on_localhost(site: str, origin: str) -> None:
    assert passkey_origin(site) == origin


def test_no_admin_is_locked_out_where_passkeys_cannot_work() -> None:
    environ = {"REQUIRE_ADMIN_MFA": "passkey", "PUBLIC_URL": "https://192.0.2.1"}
    with pytest.raises(config.SettingsError, match="REQUIRE_ADMIN_MFA is passkey"):
        config.load({**environ, "APP_ENV": "testing"})
    assert config.load({**environ, "PUBLIC_URL": "http://127.0.0.1:8000"})


def test_doctor_says_where_passkeys_work(other_app: MakeApp) -> None:
    by_number = other_app(PUBLIC_URL="https://192.0.2.1")
    assert "warning: passkeys: do not work" in doctor_of(by_number)
    assert "ok: passkeys: work at http://localhost" in doctor_of(other_app())


def doctor_of(app: Flask) -> str:
    return app.test_cli_runner().invoke(args=["doctor"]).stdout


def test_doctor_says_who_needs_which_factor(other_app: MakeApp) -> None:
    strict = other_app(REQUIRE_MFA="all", REQUIRE_ADMIN_MFA="passkey")
    said = doctor_of(strict)
    assert "ok: REQUIRE_MFA: everybody needs a second factor, an admin a passkey" in said
