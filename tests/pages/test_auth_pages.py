"""The pages for registration, sign-in, sign-out and a new password by a link."""

import pytest
from flask import Flask

from app.models import Session
from app.services.accounts import password_reset
from app.services.shared.actor import SYSTEM, Actor
from app.services.users import users
from tests.conftest import PASSWORD, MakeApp
from tests.support.clients import SESSION_COOKIE, Browser
from tests.support.rows import rows

NEW = {"username": "carl", "email": "carl@example.com", "password": PASSWORD}
FOREIGN = [
    "//evil.example",
    "/\\evil.example",
    "https:evil.example",
    "https://evil.example/",
    "http:///evil.example",
    "///evil.example",
    "/\t/evil.example",
    "\t//evil.example",
    "\x01//evil.example",
    " //evil.example",
    "javascript:alert(1)",
    "/\r\nSet-Cookie: a=b",
    "http://localhost@evil.example/",
    "evil.example",
    "",
]


def reset_link(app: Flask, actor: Actor) -> str:
    with app.app_context():
        return "/auth/reset/" + password_reset.make_link(SYSTEM, users.get(SYSTEM, actor.id))


def test_registering_signs_in(browser: Browser) -> None:
    answer = browser.post("/auth/register", NEW, form="/auth/register")
    assert (answer.status_code, answer.location) == (303, "/")
    assert "carl" in browser.get("/").text


def test_closed_registration_is_forbidden(other_app: MakeApp) -> None:
    browser = Browser(other_app(REGISTRATION="closed"))
    assert browser.get("/auth/register").status_code == 403
    assert "/auth/register" not in browser.get("/auth/login").text


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("username", "a b c", "letters, digits"),
        ("username", "ann", "taken"),
        ("username", "c\0arl", "NUL"),
        ("username", "", "Choose a username"),
        ("email", "nowhere", "@-sign"),
        ("email", "ANN@example.com", "taken"),
        ("password", "short", "8 to 128"),
        ("password", "password123", "most common"),
    ],
)
def test_a_refusal_stands_beside_its_field_and_what_was_typed_stays(
    browser: Browser, ann: Actor, field: str, value: str, why: str
) -> None:
    answer = browser.post("/auth/register", {**NEW, field: value}, form="/auth/register")
    assert answer.status_code == 422
    assert why in answer.text.partition(f'id="error-{field}"')[2].partition("</small>")[0]
    kept = "email" if field == "username" else "username"
    assert f'value="{NEW[kept]}"' in answer.text
    assert PASSWORD not in answer.text


def test_taken_name_is_shown_with_the_other_faults(browser: Browser, ann: Actor) -> None:
    typed = {"username": "ann", "email": "nowhere", "password": "short"}
    page = browser.post("/auth/register", typed, form="/auth/register").text
    assert [f'id="error-{field}"' in page for field in typed] == [True, True, True]


@pytest.mark.parametrize("identifier", ["ann", "ANN", "ann@example.com", " Ann@Example.com "])
def test_signs_in_by_username_or_email(browser: Browser, ann: Actor, identifier: str) -> None:
    assert browser.sign_in(identifier, PASSWORD).status_code == 303
    assert browser.get("/settings/profile").status_code == 200


@pytest.mark.parametrize(("identifier", "password"), [("ann", "wrong"), ("nobody", PASSWORD)])
def test_a_wrong_sign_in_says_no_more_than_that(
    browser: Browser, ann: Actor, identifier: str, password: str
) -> None:
    answer = browser.sign_in(identifier, password)
    assert answer.status_code == 422
    assert "Wrong email, username or password." in answer.text
    assert f'value="{identifier}"' in answer.text


@pytest.mark.parametrize("remember", [True, False])
def test_remember_me_outlives_the_browser(
    app: Flask, browser: Browser, ann: Actor, remember: bool
) -> None:
    fields = {"identifier": "ann", "password": PASSWORD, **({"remember": "y"} if remember else {})}
    answer = browser.post("/auth/login", fields, form="/auth/login")
    cookies = answer.headers.getlist("Set-Cookie")
    (session,) = [cookie for cookie in cookies if cookie.startswith(f"{SESSION_COOKIE}=")]
    assert ("Expires" in session) is remember
    with app.app_context():
        assert [row.remembered for row in rows(Session)] == [remember]


def test_leads_back_to_the_page_that_was_asked_for(browser: Browser, ann: Actor) -> None:
    to_login = browser.get("/tasks?status=todo&q=a+b").location
    fields = {"identifier": "ann", "password": PASSWORD}
    assert browser.post(to_login, fields, form=to_login).location == "/tasks?status=todo&q=a+b"


@pytest.mark.parametrize("target", FOREIGN)
def test_next_never_leads_to_another_host(browser: Browser, ann: Actor, target: str) -> None:
    fields = {"identifier": "ann", "password": PASSWORD, "next": target}
    assert browser.post("/auth/login", fields, form="/auth/login").location == "/"
    answer = browser.client.get("/auth/login", query_string={"next": target})
    assert answer.location == "/"


def test_a_stranger_who_asks_by_htmx_is_led_by_the_whole_page(browser: Browser) -> None:
    answer = browser.get("/tasks", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/auth/login?next=/tasks")


def test_logging_out_ends_the_session_itself(app: Flask, ann_browser: Browser) -> None:
    cookie = ann_browser.client.get_cookie(SESSION_COOKIE)
    answer = ann_browser.post("/auth/logout", form="/")
    assert answer.headers["Clear-Site-Data"] == '"cache"'
    assert cookie is not None
    ann_browser.client.set_cookie(SESSION_COOKIE, cookie.value)
    assert ann_browser.get("/tasks").status_code == 302


def test_signing_out_takes_a_csrf_token(ann_browser: Browser) -> None:
    assert ann_browser.client.post("/auth/logout").status_code == 400
    assert ann_browser.get("/tasks").status_code == 200


def test_a_link_sets_a_new_password_once(app: Flask, browser: Browser, ann: Actor) -> None:
    link = reset_link(app, ann)
    fresh = {"password": "nine apples, no pear"}
    assert browser.post(link, fresh, form=link).location == "/auth/login"
    assert browser.get(link).status_code == 400
    assert browser.sign_in("ann", fresh["password"]).status_code == 303


def test_a_weak_new_password_leaves_the_link_good(app: Flask, browser: Browser, ann: Actor) -> None:
    link = reset_link(app, ann)
    assert browser.post(link, {"password": "ann"}, form=link).status_code == 422
    assert browser.get(link).status_code == 200


def test_no_page_is_told_the_address_of_a_link(app: Flask, browser: Browser, ann: Actor) -> None:
    for link in (reset_link(app, ann), "/auth/reset/void", "/auth/reset/a%00b"):
        assert browser.get(link).headers.getlist("Referrer-Policy") == ["no-referrer"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 303),
        ({"Origin": "http://localhost"}, 303),
        ({"Origin": "https://evil.example"}, 400),
        ({"Origin": "null"}, 400),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, 303),
        ({"Sec-Fetch-Site": "none"}, 303),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://localhost"}, 400),
        ({"Sec-Fetch-Site": "cross-site"}, 400),
    ],
)
def test_the_browser_says_where_a_form_came_from(
    browser: Browser, ann: Actor, headers: dict[str, str], status: int
) -> None:
    fields = {"identifier": "ann", "password": PASSWORD}
    answer = browser.post("/auth/login", fields, form="/auth/login", headers=headers)
    assert answer.status_code == status


def test_under_https_a_form_needs_no_referer(other_app: MakeApp, ann: Actor) -> None:
    browser = Browser(other_app(PUBLIC_URL="https://localhost"))
    browser.client.environ_base["wsgi.url_scheme"] = "https"
    answer = browser.post(
        "/auth/login",
        {"identifier": "ann", "password": PASSWORD},
        form="/auth/login",
        base_url="https://localhost",
    )
    assert answer.status_code == 303
