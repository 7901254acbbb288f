"""An earlier key in SECRET_KEY_FALLBACKS reads sessions, forms, cursors and mailed links."""

import pytest
from flask import Flask

from app.services.shared.actor import Actor
from tests.conftest import PASSWORD, MakeApp, email_of
from tests.support.clients import Api, Browser
from tests.support.keys import COOKIE, FIRST, SECOND, move
from tests.support.mailbox import Mailbox

ROTATED = {"SECRET_KEY": SECOND, "SECRET_KEY_FALLBACKS": FIRST}


@pytest.fixture
def ann_browser(ann_browser: Browser) -> Browser:
    """Ann's browser with a complete session, which the next page does not change."""
    ann_browser.get("/tasks")
    return ann_browser


@pytest.fixture
def rotated(other_app: MakeApp) -> Flask:
    """An app that signs with the second key and still reads the first."""
    return other_app(**ROTATED)


@pytest.fixture
def later(other_app: MakeApp) -> Flask:
    """An app with the second key alone."""
    return other_app(SECRET_KEY=SECOND)


def test_session_goes_on_and_is_signed_anew_on_use(
    rotated: Flask, later: Flask, ann_browser: Browser
) -> None:
    assert move(ann_browser, Browser(later)).get("/settings/profile").status_code == 302
    during = move(ann_browser, Browser(rotated))
    assert during.get("/settings/profile").status_code == 200
    assert move(during, Browser(later)).get("/settings/profile").status_code == 200


def test_cookie_is_signed_anew_once(rotated: Flask, ann_browser: Browser) -> None:
    during = move(ann_browser, Browser(rotated))
    assert COOKIE in during.get("/tasks").headers["Set-Cookie"]
    assert "Set-Cookie" not in during.get("/tasks").headers


def test_cookie_of_the_present_key_is_left_alone(app: Flask, ann_browser: Browser) -> None:
    assert "Set-Cookie" not in ann_browser.get("/tasks").headers


def test_remembered_session_stays_remembered(app: Flask, rotated: Flask, ann: Actor) -> None:
    before = Browser(app)
    fields = {"identifier": "ann", "password": PASSWORD, "remember": "y"}
    before.post("/auth/login", fields, form="/auth/login")
    before.get("/tasks")
    cookie = move(before, Browser(rotated)).get("/tasks").headers["Set-Cookie"]
    assert "Expires=" in cookie


def test_forged_cookie_is_nobodys_under_several_keys(rotated: Flask, ann_browser: Browser) -> None:
    held = ann_browser.client.get_cookie(COOKIE)
    assert held is not None
    forged = Browser(rotated)
    forged.client.set_cookie(COOKIE, held.value[:-4] + "AAAA")
    assert forged.get("/settings/profile").status_code == 302


def test_form_that_was_drawn_under_an_earlier_key_is_taken(
    rotated: Flask, ann_browser: Browser
) -> None:
    ann_browser.get("/settings/profile")
    during = move(ann_browser, Browser(rotated))
    fields = {"username": "anna", "email": email_of("ann")}
    assert during.post("/settings/profile", fields).status_code == 303


def test_form_of_an_unknown_key_is_refused(other_app: MakeApp, ann_browser: Browser) -> None:
    ann_browser.get("/tasks/new")
    form = ann_browser.csrf_token
    signed_anew = move(ann_browser, Browser(other_app(**ROTATED)))
    signed_anew.get("/tasks")
    after = move(signed_anew, Browser(other_app(SECRET_KEY=SECOND)))
    after.csrf_token = form
    assert after.post("/tasks/new", {"title": "x"}).status_code == 400


def test_cursor_goes_on_and_the_next_one_is_of_the_present_key(
    app: Flask, rotated: Flask, later: Flask, ann_api: Api
) -> None:
    for number in range(3):
        ann_api.post("/tasks", {"title": str(number)})
    first = ann_api.get("/tasks?limit=1").get_json()["next_cursor"]
    assert Api(later, ann_api.token).get(f"/tasks?limit=1&cursor={first}").status_code == 422
    page = Api(rotated, ann_api.token).get(f"/tasks?limit=1&cursor={first}").get_json()
    assert [task["title"] for task in page["items"]] == ["1"]
    last = Api(later, ann_api.token).get(f"/tasks?limit=1&cursor={page['next_cursor']}").get_json()
    assert [task["title"] for task in last["items"]] == ["0"]


def test_mailed_link_works_whatever_the_key(rotated: Flask, ann: Actor, mailbox: Mailbox) -> None:
    Browser(mailbox.app).post("/auth/forgot", {"email": email_of("ann")}, form="/auth/forgot")
    path = f"/auth/reset/{mailbox.secret('reset')}"
    browser = Browser(rotated)
    assert browser.post(path, {"password": "nine apples, no pear"}, form=path).status_code == 303
    browser = Browser(rotated)
    assert browser.sign_in("ann", "nine apples, no pear").status_code == 303
