"""The pages of mailed links: new passwords, confirmed addresses, accepted invitations."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask

from app.logs import JsonFormatter
from app.models import User
from app.services.accounts import link_changes, password_reset
from app.services.shared.actor import SYSTEM, Actor
from tests.conftest import PASSWORD, MakeApp
from tests.support.clients import Browser
from tests.support.mailbox import Mailbox
from tests.support.rows import events, rows, set_values

FRESH = {"password": "nine apples, no pear"}
NEW = {"username": "carl", "email": "carl@example.com", "password": PASSWORD}
EVIL = [
    {"Host": "evil.example"},
    {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"},
    {"X-Host": "evil.example", "X-Original-URL": "https://evil.example/"},
]


@contextmanager
def listening() -> Iterator[list[str]]:
    """The formatted log lines of the service during this context."""
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(JsonFormatter().format(record))  # type: ignore[method-assign]
    loggers = [logging.getLogger(name) for name in ("service", "app", "werkzeug")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel("DEBUG")
    yield lines
    for logger, level in zip(loggers, levels, strict=True):
        logger.removeHandler(handler)
        logger.setLevel(level)


def user_of(app: Flask, name: str) -> Any:
    with app.app_context():
        return rows(User, username=name)[0]


def path_of(mailbox: Mailbox, purpose: str) -> str:
    return f"/auth/{purpose}/{mailbox.secret(purpose)}"


def ask(browser: Browser, email: str, **options: Any) -> Any:
    return browser.post("/auth/forgot", {"email": email}, form="/auth/forgot", **options)


def test_forgotten_password_is_set_anew(mailbox: Mailbox, browser: Browser, ann: Actor) -> None:
    mailbox.receive()
    assert "/auth/forgot" in browser.get("/auth/login").text
    assert ask(browser, "Ann@Example.com").location == "/auth/login"
    assert "a mail with a link is sent to it" in browser.get("/auth/login").text
    link = path_of(mailbox, "reset")
    assert browser.post(link, FRESH, form=link).location == "/auth/login"
    assert browser.sign_in("ann", FRESH["password"]).status_code == 303
    assert browser.get(link).status_code == 400


def test_link_that_was_mailed_proves_the_address(
    app: Flask, mailbox: Mailbox, browser: Browser, ann: Actor
) -> None:
    mailbox.receive()
    ask(browser, "ann@example.com")
    link = path_of(mailbox, "reset")
    browser.post(link, FRESH, form=link)
    assert user_of(app, "ann").email_verified


def test_page_is_the_same_for_an_unknown_address(
    mailbox: Mailbox, browser: Browser, ann: Actor
) -> None:
    mailbox.receive()
    answers = [ask(browser, email) for email in ("ann@example.com", "nobody@example.com")]
    assert len({(answer.status_code, answer.location, answer.text) for answer in answers}) == 1
    assert [mail["To"] for mail in mailbox.receive()] == ["ann@example.com"]


def test_address_that_is_none_is_told_beside_its_field(mailbox: Mailbox, browser: Browser) -> None:
    answer = ask(browser, "nowhere")
    assert answer.status_code == 422
    assert 'id="error-email"' in answer.text


def test_without_mail_the_page_says_so(browser: Browser) -> None:
    assert "/auth/forgot" in browser.get("/auth/login").text
    page = browser.get("/auth/forgot").text
    assert "sends no mail" in page
    assert "Ask the person who runs this service for a link" in page
    assert 'name="email"' not in page
    assert browser.post("/auth/forgot", {"email": "a@b.example"}).status_code == 403


@pytest.mark.parametrize("headers", EVIL, ids=str)
def test_link_names_the_configured_host_whatever_was_asked(
    mailbox: Mailbox, browser: Browser, ann: Actor, headers: dict[str, str]
) -> None:
    mailbox.receive()
    browser.get("/auth/forgot")
    answer = browser.post("/auth/forgot", {"email": "ann@example.com"}, headers=headers)
    if "Host" in headers:
        assert answer.status_code == 400
        assert mailbox.receive() == []
    else:
        mailbox.secret("reset")  # secret() checks the base of the link


def test_link_names_the_configured_host_behind_a_proxy_too(
    other_app: MakeApp, mailbox: Mailbox, ann: Actor
) -> None:
    url = f"file:{mailbox.folder}"
    app = other_app(MAIL_URL=url, PROXY_HOPS="1", TRUSTED_HOSTS="other.example")
    mailbox.receive()
    browser = Browser(app)
    browser.get("/auth/forgot")
    other = {"X-Forwarded-Host": "other.example"}
    assert ask(browser, "ann@example.com", headers=other).status_code == 303
    mailbox.secret("reset")


def test_registering_mails_a_link_that_confirms(
    app: Flask, mailbox: Mailbox, browser: Browser
) -> None:
    browser.post("/auth/register", NEW, form="/auth/register")
    link = path_of(mailbox, "confirm")
    assert browser.get(link).status_code == 200
    assert not user_of(app, "carl").email_verified  # a GET confirms nothing
    assert browser.post(link, form=link).location == "/settings/profile"
    assert user_of(app, "carl").email_verified
    assert "Confirmed" in browser.get("/settings/profile").text
    assert browser.get(link).status_code == 400


def test_link_confirms_in_another_browser_too(
    app: Flask, mailbox: Mailbox, browser: Browser, ann: Actor
) -> None:
    link = path_of(mailbox, "confirm")
    assert browser.post(link, {"password": PASSWORD}, form=link).location == "/auth/login"
    assert "ann@example.com is confirmed." in browser.get("/auth/login").text


def test_link_is_mailed_again_and_the_older_one_is_void(
    mailbox: Mailbox, ann_browser: Browser
) -> None:
    older = path_of(mailbox, "confirm")
    answer = ann_browser.post("/settings/confirmation", form="/settings/profile")
    assert answer.location == "/settings/profile"
    newer = path_of(mailbox, "confirm")
    assert [ann_browser.get(link).status_code for link in (older, newer)] == [400, 200]


def test_confirmed_address_needs_no_further_link(
    app: Flask, mailbox: Mailbox, ann: Actor, ann_browser: Browser
) -> None:
    mailbox.receive()
    with app.app_context():
        set_values(User, ann.id, email_verified=True)
    ann_browser.post("/settings/confirmation", form="/settings/profile")
    assert "confirmed already" in ann_browser.get("/settings/profile").text
    assert mailbox.receive() == []


def test_new_address_counts_once_its_link_was_followed(
    app: Flask, mailbox: Mailbox, ann_browser: Browser
) -> None:
    mailbox.receive()
    fields = {"username": "ann", "email": "new@example.com", "current_password": PASSWORD}
    ann_browser.post("/settings/profile", fields, form="/settings/profile")
    page = ann_browser.get("/settings/profile").text
    assert "Open the link mailed to new@example.com" in page
    assert user_of(app, "ann").email == "ann@example.com"
    link = path_of(mailbox, "confirm")
    ann_browser.post(link, form=link)
    user = user_of(app, "ann")
    assert (user.email, user.email_verified) == ("new@example.com", True)
    (notice,) = mailbox.receive()
    assert notice["To"] == "ann@example.com"


def test_address_that_was_taken_meanwhile_is_told(
    app: Flask, mailbox: Mailbox, ann_browser: Browser, bob: Actor
) -> None:
    mailbox.receive()
    fields = {"username": "ann", "email": "new@example.com", "current_password": PASSWORD}
    ann_browser.post("/settings/profile", fields, form="/settings/profile")
    link = path_of(mailbox, "confirm")
    with app.app_context():
        link_changes.confirm_email(bob, bob.id, "NEW@example.com")
    answer = ann_browser.post(link, form=link)
    assert (answer.status_code, "This email is taken." in answer.text) == (422, True)
    assert user_of(app, "ann").email == "ann@example.com"


def test_pages_of_links_tell_nobody_their_address(
    app: Flask, mailbox: Mailbox, browser: Browser, ann: Actor
) -> None:
    with app.app_context():
        password_reset.mail_link(SYSTEM, rows(User)[0])  # type: ignore[arg-type]
    reset = path_of(mailbox, "reset")
    for link in (reset, "/auth/confirm/void", "/auth/invite/void", "/auth/reset/a%00b"):
        answer = browser.get(link)
        assert answer.headers.getlist("Referrer-Policy") == ["no-referrer"]
        assert answer.headers.getlist("Cache-Control") == ["no-store"]
        assert not re.search(r'(src|href)="https?:', answer.text)


def test_log_tells_the_route_and_not_the_link(
    mailbox: Mailbox, browser: Browser, ann: Actor
) -> None:
    link = path_of(mailbox, "confirm")
    with listening() as lines:
        for path in (link, f"{link}/more", f"{link}?a=%ff"):
            browser.get(path)
            browser.post(path, form=link)
    assert any("/auth/confirm/<token>" in line for line in lines)
    assert not [line for line in lines if "fst_" in line]


def invite(browser: Browser, **fields: str) -> Any:
    typed = {"email": "dan@example.com", "username": "dan", "role": "user", **fields}
    return browser.post("/admin/users/invite", typed, form="/admin/users/invite")


def test_who_is_invited_chooses_the_password(
    app: Flask, mailbox: Mailbox, root_browser: Browser, browser: Browser
) -> None:
    mailbox.receive()
    shown = root_browser.get(invite(root_browser).location).text
    assert ("Invited" in shown, "Invite again" in shown) == (True, True)
    assert "fst_" not in shown
    assert browser.sign_in("dan", "").status_code == 422
    assert browser.sign_in("dan", "of nobody").status_code == 422  # the password of the dummy hash
    link = path_of(mailbox, "invite")
    assert "Only you" in browser.get(link).text
    browser.post(link, FRESH, form=link)
    assert user_of(app, "dan").email_verified
    assert browser.sign_in("dan", FRESH["password"]).status_code == 303
    assert mailbox.receive() == []  # no notice for a first password
    with app.app_context():
        assert [event.changes for event in events("user.invited")] == [{}]


def test_invitation_is_mailed_again(mailbox: Mailbox, root_browser: Browser) -> None:
    mailbox.receive()
    shown = invite(root_browser).location
    older = path_of(mailbox, "invite")
    assert root_browser.post(f"{shown}/invitation", form=shown).location == shown
    newer = path_of(mailbox, "invite")
    assert [root_browser.get(link).status_code for link in (older, newer)] == [400, 200]


def test_who_has_a_password_is_not_invited_again(
    mailbox: Mailbox, root_browser: Browser, ann: Actor
) -> None:
    mailbox.receive()
    shown = f"/admin/users/{ann.id}"
    root_browser.post(f"{shown}/invitation", form=shown)
    assert "has a password already" in root_browser.get(shown).text
    assert mailbox.receive() == []


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [("email", "nowhere", "@-sign"), ("username", "root", "taken"), ("role", "king", "Not a")],
)
def test_refused_invitation_stands_beside_its_field(
    mailbox: Mailbox, root_browser: Browser, field: str, value: str, why: str
) -> None:
    answer = invite(root_browser, **{field: value})
    assert answer.status_code == 422
    assert why in answer.text.partition(f'id="error-{field}"')[2].partition("</small>")[0]


def test_without_mail_nobody_is_invited(app: Flask, root_browser: Browser) -> None:
    assert "sends no mail" in root_browser.get("/admin/users/invite").text
    answer = invite(root_browser)
    assert (answer.status_code, "No mail is set up" in answer.text) == (422, True)
    with app.app_context():
        assert len(rows(User)) == 1


def test_admin_has_a_link_mailed_and_does_not_see_it(
    mailbox: Mailbox, root_browser: Browser, ann: Actor
) -> None:
    mailbox.receive()
    shown = f"/admin/users/{ann.id}"
    answer = root_browser.post(f"{shown}/reset-link", form=shown)
    assert answer.location == shown
    assert "fst_" not in root_browser.get(shown).text
    mailbox.secret("reset")
