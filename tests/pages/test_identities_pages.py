"""Linked accounts of OpenID providers: the account that each opens, and the linking."""

from datetime import timedelta

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.models import LinkedAccount, Session, User
from app.services.openid import linked_accounts
from app.services.openid.person import Person
from app.services.outbox.notices import NOTICES
from app.services.shared.actor import Actor
from tests.conftest import PASSWORD
from tests.support.clients import Browser
from tests.support.factors import Phone, hold_clock, phone_of
from tests.support.mailbox import Mailbox, text
from tests.support.openid_provider import LINK, START, Claims, Provider, go, link
from tests.support.rows import actions, age, events, prove_address, rows, set_values


@pytest.fixture
def phone(app: Flask, ann: Actor, monkeypatch: pytest.MonkeyPatch) -> Phone:
    """Ann's authenticator app."""
    hold_clock(monkeypatch)
    return phone_of(app, ann)


def test_known_person_is_logged_in_whatever_else_changed_there(
    app: Flask, browser: Browser, provider: Provider
) -> None:
    go(browser)
    provider.person = {"sub": "1001", "email": "moved@example.org", "email_verified": False}
    again = Browser(app)
    assert go(again).status_code == 303
    assert "carl" in again.get("/").text
    with app.app_context():
        (user,), (identity,) = rows(User), rows(LinkedAccount)
        assert (user.email, identity.email) == ("carl@example.com", "moved@example.org")
        assert identity.last_used_at is not None


@pytest.mark.parametrize("verified", [True, False])
def test_address_that_an_account_has_opens_it_only_after_its_password(
    app: Flask, browser: Browser, provider: Provider, ann: Actor, verified: bool
) -> None:
    provider.person.update(email="ANN@example.com", email_verified=verified)
    assert go(browser).location == LINK
    page = browser.get(LINK).text
    assert "There is an account with your email address here." in page
    assert "/auth/login?next=/auth/openid/link" in page
    assert browser.post(LINK, form="/auth/login").location.startswith("/auth/login")
    with app.app_context():
        assert rows(LinkedAccount) == []
    fields = {"identifier": "ann", "password": PASSWORD, "next": LINK}
    assert browser.post("/auth/login", fields, form="/auth/login").location == LINK
    assert "will sign in here as ann" in browser.get(LINK).text
    assert link(browser).location == "/settings/identities"
    assert "ANN@example.com" in browser.get("/settings/identities").text
    again = Browser(app)
    assert go(again).location == "/"
    assert "ann" in again.get("/").text


@pytest.mark.parametrize(
    ("person", "is_open", "why"),
    [
        ({"email_verified": False}, True, "not confirmed there"),
        ({"email_verified": "false"}, True, "not confirmed there"),
        ({"email": None}, True, "sent no email address"),
        ({"email": "nowhere"}, True, "sent no email address"),
        ({}, False, "Registration is closed"),
    ],
)
def test_newcomer_who_may_not_register_gets_no_account(
    app: Flask,
    browser: Browser,
    provider: Provider,
    monkeypatch: pytest.MonkeyPatch,
    person: Claims,
    is_open: bool,
    why: str,
) -> None:
    monkeypatch.setitem(app.config, "REGISTRATION_OPEN", is_open)
    provider.person = {n: v for n, v in {**provider.person, **person}.items() if v is not None}
    assert go(browser).location == LINK
    page = browser.get(LINK).text
    assert why in page
    assert ("/auth/register" in page.partition("<main")[2]) == is_open
    with app.app_context():
        assert rows(User) == rows(LinkedAccount) == rows(Session) == []


def test_deactivated_account_is_refused_as_ever(
    app: Flask, browser: Browser, provider: Provider
) -> None:
    go(browser)
    with app.app_context():
        set_values(User, rows(User)[0].id, is_active=False)
    answer = go(Browser(app))
    assert (answer.status_code, "Wrong email, username or password." in answer.text) == (401, True)
    with app.app_context():
        assert actions()[-1] == "session.refused"
        assert len(rows(Session)) == 1


def test_nothing_to_link_is_said(ann_browser: Browser, provider: Provider) -> None:
    for answer in (ann_browser.get(LINK), ann_browser.post(LINK, form="/settings/profile")):
        assert (answer.status_code, answer.location) == (302, "/")


def test_linking_takes_a_form_that_is_ones_own(
    app: Flask, ann_browser: Browser, provider: Provider
) -> None:
    """Else another site could link an attacker's provider account to the visitor's account."""
    assert "Link an account at Orchard" in ann_browser.get("/settings/identities").text
    assert go(ann_browser).location == LINK
    assert ann_browser.client.post(LINK).status_code == 400
    with app.app_context():
        assert rows(LinkedAccount) == []
    assert link(ann_browser).status_code == 303
    with app.app_context():
        (event,) = events("identity.linked")
        assert event.changes == {"issuer": [None, provider.issuer], "subject": [None, "1001"]}


def test_linking_again_changes_nothing(
    app: Flask, ann_browser: Browser, provider: Provider
) -> None:
    for _ in range(2):
        go(ann_browser)
        assert link(ann_browser).status_code == 303
    with app.app_context():
        assert len(rows(LinkedAccount)) == len(events("identity.linked")) == 1


def test_what_opens_one_account_opens_no_other(
    app: Flask, ann_browser: Browser, bob_browser: Browser, provider: Provider
) -> None:
    for browser, status in ((ann_browser, 303), (bob_browser, 409)):
        go(browser)
        assert link(browser).status_code == status
    with app.app_context():
        assert len(rows(LinkedAccount)) == 1


def test_linking_takes_a_recent_login(app: Flask, ann_browser: Browser, provider: Provider) -> None:
    go(ann_browser)
    with app.app_context():
        age(Session, "created_at", timedelta(minutes=16))
    link(ann_browser)
    with app.app_context():
        assert rows(LinkedAccount) == []


def unlink(app: Flask, browser: Browser) -> TestResponse:
    with app.app_context():
        identity = rows(LinkedAccount)[0]
    page = "/settings/identities"
    return browser.post(f"{page}/{identity.id}/unlink", form=page)


def test_unlinked_account_opens_nothing_any_more(
    app: Flask, ann_browser: Browser, provider: Provider
) -> None:
    go(ann_browser)
    link(ann_browser)
    assert unlink(app, ann_browser).location == "/settings/identities"
    provider.person["email"] = "ann@example.com"
    assert go(Browser(app)).location == LINK
    with app.app_context():
        assert events("identity.unlinked")[0].changes["subject"] == ["1001", None]


def test_last_way_to_log_in_stays(app: Flask, browser: Browser, provider: Provider) -> None:
    go(browser)
    browser.csrf_token = ""
    assert unlink(app, browser).status_code == 409
    provider.person = {"sub": "1002"}
    go(browser)
    link(browser)
    assert unlink(app, browser).status_code == 303
    assert unlink(app, browser).status_code == 409


def test_nobody_unlinks_what_is_anothers(
    app: Flask, ann_browser: Browser, bob_browser: Browser, provider: Provider
) -> None:
    go(ann_browser)
    link(ann_browser)
    assert unlink(app, bob_browser).status_code == 404


def test_owner_is_told_by_mail(
    app: Flask, mailbox: Mailbox, ann: Actor, ann_browser: Browser, provider: Provider
) -> None:
    prove_address(app, ann)
    go(ann_browser)
    link(ann_browser)
    unlink(app, ann_browser)
    told = "".join(text(mail) for mail in mailbox.receive())
    for what in ("identity_linked", "identity_unlinked"):
        assert NOTICES[what].what in " ".join(told.split())


def test_second_factor_is_asked_for_there_too(
    app: Flask, browser: Browser, provider: Provider, ann: Actor, phone: Phone
) -> None:
    person = Person(
        issuer=provider.issuer, subject="1001", email="", email_verified=False, username=""
    )
    with app.app_context():
        linked_accounts.link(ann, person)
    code_page = go(browser, f"{START}?next=/tasks").location
    assert code_page == "/auth/two-factor?next=/tasks"
    assert browser.get("/tasks").status_code == 302
    assert browser.post(code_page, {"otp": phone.code()}, form=code_page).location == "/tasks"
    assert browser.get("/tasks").status_code == 200


def test_proof_of_an_account_takes_its_second_factor(
    app: Flask, browser: Browser, provider: Provider, ann: Actor, phone: Phone
) -> None:
    provider.person["email"] = "ann@example.com"
    go(browser)
    fields = {"identifier": "ann", "password": PASSWORD, "next": LINK}
    code_page = browser.post("/auth/login", fields, form="/auth/login").location
    assert code_page.startswith("/auth/two-factor")
    assert browser.post(LINK, form=code_page).location.startswith("/auth/login")
    assert browser.post(code_page, {"otp": phone.code()}, form=code_page).location == LINK
    assert link(browser).status_code == 303


def test_who_sets_a_password_needs_the_provider_no_more(
    app: Flask, browser: Browser, provider: Provider
) -> None:
    go(browser)
    page = "/settings/password"
    assert browser.post(page, {"password": PASSWORD}, form=page).status_code == 303
    assert unlink(app, browser).status_code == 303
    assert Browser(app).sign_in("carl", PASSWORD).status_code == 303
