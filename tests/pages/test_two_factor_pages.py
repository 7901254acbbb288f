"""Signing in on the pages with a second factor: no access before the factor."""

from datetime import timedelta

import pytest
from flask import Flask

from app.auth import pending
from app.models import Session
from app.models.types import now
from app.services.accounts import accounts, password_reset
from app.services.shared.actor import SYSTEM, Actor
from app.services.users import users
from tests.conftest import PASSWORD
from tests.support.clients import SESSION_COOKIE, Browser
from tests.support.factors import Phone, hold_clock, phone_of
from tests.support.rows import actions, rows

NEW_PASSWORD = "eleven apples in a bowl"
STEP = "/auth/two-factor"


@pytest.fixture
def phone(app: Flask, ann: Actor, monkeypatch: pytest.MonkeyPatch) -> Phone:
    hold_clock(monkeypatch)
    return phone_of(app, ann)


@pytest.fixture
def half(browser: Browser, phone: Phone) -> Browser:
    """The browser after the password and before the second factor."""
    assert browser.sign_in("ann", PASSWORD).location == STEP
    return browser


def test_password_alone_opens_nothing(app: Flask, half: Browser) -> None:
    for path in ("/tasks", "/settings/profile", "/settings/two-factor", "/settings/password"):
        assert half.get(path).location == f"/auth/login?next={path}"
    with app.app_context():
        assert rows(Session) == []


def test_code_signs_in_and_leads_on(browser: Browser, phone: Phone) -> None:
    fields = {"identifier": "ann", "password": PASSWORD}
    to_code = browser.post("/auth/login?next=/tasks", fields, form="/auth/login").location
    assert to_code == f"{STEP}?next=/tasks"
    answer = browser.post(to_code, {"otp": phone.code()}, form=to_code)
    assert (answer.status_code, answer.location) == (303, "/tasks")
    assert browser.get("/tasks").status_code == 200


def test_cookie_of_the_half_way_does_not_last(half: Browser, phone: Phone) -> None:
    before = half.client.get_cookie(SESSION_COOKIE)
    half.post(STEP, {"otp": phone.code()}, form=STEP)
    assert before is not None
    half.client.set_cookie(SESSION_COOKIE, before.value)
    assert half.get("/tasks").status_code == 302
    half.csrf_token = ""
    assert half.post(STEP, {"otp": phone.code()}, form=STEP).status_code == 422


def test_recovery_code_signs_in_once(half: Browser, phone: Phone) -> None:
    typed = phone.recovery_codes[3].upper().replace("-", " ")
    assert half.post(STEP, {"otp": typed}, form=STEP).status_code == 303
    half.post("/auth/logout", form="/")
    half.csrf_token = ""
    half.sign_in("ann", PASSWORD)
    answer = half.post(STEP, {"otp": phone.recovery_codes[3]}, form=STEP)
    assert answer.status_code == 422
    assert "was used before" in answer.text


def test_wrong_code_may_be_mended(half: Browser, phone: Phone) -> None:
    assert half.post(STEP, {"otp": "000000"}, form=STEP).status_code == 422
    assert half.post(STEP, {"otp": phone.code()}).status_code == 303


def test_remember_me_is_remembered(app: Flask, browser: Browser, phone: Phone) -> None:
    fields = {"identifier": "ann", "password": PASSWORD, "remember": "y"}
    browser.post("/auth/login", fields, form="/auth/login")
    answer = browser.post(STEP, {"otp": phone.code()}, form=STEP)
    assert "Expires" in answer.headers["Set-Cookie"]
    with app.app_context():
        assert [row.remembered for row in rows(Session)] == [True]


def test_half_way_ends_after_ten_minutes(
    half: Browser, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = now() + timedelta(minutes=10)
    monkeypatch.setattr(pending, "now", lambda: later)
    assert half.get(STEP).location == "/auth/login"


def test_half_way_ends_with_a_new_password(app: Flask, half: Browser, ann: Actor) -> None:
    with app.app_context():
        accounts.update_self(ann, {"password": NEW_PASSWORD}, PASSWORD)
    assert half.get(STEP).location == "/auth/login"


def test_half_way_ends_with_the_account(app: Flask, half: Browser, ann: Actor) -> None:
    with app.app_context():
        accounts.delete(SYSTEM, ann.id)
    assert half.get(STEP).location == "/auth/login"


def test_half_way_ends_where_the_account_is_closed(
    app: Flask, half: Browser, phone: Phone, ann: Actor
) -> None:
    half.get(STEP)
    with app.app_context():
        accounts.update(SYSTEM, ann.id, {"is_active": False})
    assert half.post(STEP, {"otp": phone.code()}).status_code == 422
    with app.app_context():
        assert rows(Session) == []


def test_link_that_sets_a_password_does_not_pass_by_the_factor(
    app: Flask, browser: Browser, phone: Phone, ann: Actor
) -> None:
    with app.app_context():
        secret = password_reset.make_link(SYSTEM, users.get(SYSTEM, ann.id))
    link = f"/auth/reset/{secret}"
    fields = {"password": NEW_PASSWORD}
    assert browser.post(link, fields, form=link).location == "/auth/login"
    assert browser.sign_in("ann", NEW_PASSWORD).location == STEP
    assert browser.get("/tasks").status_code == 302


def test_who_was_signed_in_before_is_signed_out(
    app: Flask, bob_browser: Browser, phone: Phone
) -> None:
    fields = {"identifier": "ann", "password": PASSWORD}
    bob_browser.post("/auth/login", fields, form="/settings/profile")
    assert bob_browser.get("/tasks").status_code == 302
    with app.app_context():
        assert rows(Session) == []
        assert actions()[-1] == "session.ended"


def test_nobody_half_way_is_sent_to_the_password(browser: Browser) -> None:
    assert browser.get(f"{STEP}?next=/tasks").location == "/auth/login?next=/tasks"


def test_page_holds_up_after_five_wrong_codes(half: Browser, phone: Phone) -> None:
    for _ in range(5):
        assert half.post(STEP, {"otp": "000000"}, form=STEP).status_code == 422
    assert half.post(STEP, {"otp": phone.code()}, form=STEP).status_code == 429
