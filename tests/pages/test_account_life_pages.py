"""The pages over the life of an account: each leads to the next step."""

import re

import pytest
from flask import Flask

from app.models import RecoveryCode
from app.product import NAME
from app.services.accounts import password_reset
from app.services.factors import recovery_codes
from app.services.shared.actor import SYSTEM, Actor
from app.services.users import users
from tests.conftest import PASSWORD, MakeApp
from tests.support.clients import Api, Browser
from tests.support.factors import hold_clock, phone_of
from tests.support.mailbox import Mailbox, text
from tests.support.rows import prove_address, rows

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
PROFILE = "/settings/profile"


def change_email(browser: Browser, email: str = "ann@new.example") -> None:
    fields = {"username": "ann", "email": email, "current_password": PASSWORD}
    browser.post(PROFILE, fields, form=PROFILE)


@pytest.mark.parametrize("page", ["/", "/tasks", PROFILE])
def test_banner_asks_for_the_confirmation_until_it_is_there(
    app: Flask, mailbox: Mailbox, ann: Actor, ann_browser: Browser, page: str
) -> None:
    shown = ann_browser.get(page).text
    assert shown.count('action="/settings/confirmation"') == 1
    assert "/settings/profile#email" in shown
    prove_address(app, ann)
    assert "/settings/confirmation" not in ann_browser.get(page).text


def test_without_mail_no_banner_asks_for_it(ann_browser: Browser) -> None:
    assert "/settings/confirmation" not in ann_browser.get("/").text


def test_form_to_sign_up_says_all_its_faults_at_once(browser: Browser, ann: Actor) -> None:
    bad = {"username": "security", "email": "nowhere", "password": "short"}
    answer = browser.post("/auth/register", bad, form="/auth/register").text
    assert all(f'id="error-{name}"' in answer for name in bad)
    taken = {"username": "Ann", "email": "ANN@example.com", "password": PASSWORD}
    answer = browser.post("/auth/register", taken, form="/auth/register").text
    assert all(f'id="error-{name}"' in answer for name in ("username", "email"))


def test_api_says_all_faults_of_a_new_account_at_once(api: Api, ann: Actor) -> None:
    bad = {"username": "security", "email": "nowhere", "password": "password123"}
    errors = api.post("/users", bad).get_json()["errors"]
    assert {error["pointer"] for error in errors} == {"/username", "/email", "/password"}
    taken = api.post(
        "/users", {"username": "Ann", "email": "ann@example.com", "password": PASSWORD}
    )
    assert taken.status_code == 409
    assert {error["pointer"] for error in taken.get_json()["errors"]} == {"/username", "/email"}


def test_new_address_is_seen_sent_again_and_given_up(
    app: Flask, mailbox: Mailbox, ann: Actor, ann_browser: Browser, browser: Browser
) -> None:
    prove_address(app, ann)
    mailbox.receive()
    change_email(ann_browser)
    assert "ann@new.example is not confirmed yet" in ann_browser.get(PROFILE).text
    first = mailbox.secret("confirm")
    assert "ann@new.example is not confirmed yet" in ann_browser.get(PROFILE).text
    ann_browser.post("/settings/confirmation", form=PROFILE)
    second = mailbox.secret("confirm")
    assert first != second
    ann_browser.post("/settings/confirmation/cancel", form=PROFILE)
    assert "waits" not in ann_browser.get(PROFILE).text
    assert browser.get(f"/auth/confirm/{second}").status_code == 400


def test_new_address_that_is_given_up_before_its_mail_left_gets_none(
    app: Flask, mailbox: Mailbox, ann: Actor, ann_browser: Browser
) -> None:
    prove_address(app, ann)
    mailbox.receive()
    change_email(ann_browser)
    ann_browser.post("/settings/confirmation/cancel", form=PROFILE)
    assert mailbox.receive() == []


def test_too_many_confirmations_are_refused_on_the_page_they_were_asked_on(
    mailbox: Mailbox, ann_browser: Browser
) -> None:
    for _ in range(11):
        answer = ann_browser.post("/settings/confirmation", form=PROFILE)
    assert answer.location == PROFILE
    assert re.search(r"Try again in \d+ (hours|minutes)", ann_browser.get(PROFILE).text)


@pytest.mark.parametrize(
    ("link", "way_on"),
    [
        ("/auth/reset/void", 'href="/auth/forgot"'),
        ("/auth/confirm/void", 'href="/auth/login?next=/settings/profile"'),
        ("/auth/invite/void", "to invite you again"),
        ("/auth/undo/void", "to restore the address"),
    ],
)
def test_dead_link_offers_the_way_to_a_new_one(
    mailbox: Mailbox, browser: Browser, link: str, way_on: str
) -> None:
    assert way_on in browser.get(link).text


def test_support_is_named_where_only_a_person_can_help(other_app: MakeApp) -> None:
    browser = Browser(other_app(SUPPORT_CONTACT="help@example.org"))
    for page in ("/auth/forgot", "/auth/two-factor/lost", "/auth/reset/void", "/auth/undo/void"):
        assert '<a href="mailto:help@example.org">help@example.org</a>' in browser.get(page).text


def test_form_that_comes_too_often_can_be_sent_again_from_the_page_that_says_so(
    other_app: MakeApp, ann: Actor
) -> None:
    browser = Browser(other_app(RATELIMIT_DEFAULT="5 per minute", RATELIMIT_ENABLED="1"))
    browser.sign_in("ann", PASSWORD)
    browser.get("/tasks/new")
    fields = {"title": "Plums & pears", "password": PASSWORD}
    answers = [browser.post("/tasks/new", fields) for _ in range(6)]
    refused = answers[-1]
    assert refused.status_code == 429
    assert re.search(r"Try again in \d+ (second|minute)", refused.text)
    assert 'name="title" value="Plums &amp; pears"' in refused.text
    assert PASSWORD not in refused.text
    forged = browser.post("/tasks/new", {**fields, "csrf_token": "forged"})
    assert (forged.status_code, "Plums" in forged.text) == (429, False)


def test_lost_phone_leads_to_what_can_be_done(
    app: Flask, ann: Actor, monkeypatch: pytest.MonkeyPatch, browser: Browser
) -> None:
    hold_clock(monkeypatch)
    phone_of(app, ann)
    answer = browser.sign_in("ann", PASSWORD)
    assert 'href="/auth/two-factor/lost"' in browser.get(answer.location).text
    assert "An admin" in browser.get("/auth/two-factor/lost").text


def test_sign_in_by_a_recovery_code_says_how_many_are_left(
    app: Flask, ann: Actor, monkeypatch: pytest.MonkeyPatch, browser: Browser
) -> None:
    hold_clock(monkeypatch)
    phone = phone_of(app, ann)
    page = browser.sign_in("ann", PASSWORD).location
    browser.post(page, {"otp": phone.recovery_codes[0]}, form=page)
    assert "9 recovery codes are left" in browser.get("/").text


def test_recovery_codes_are_a_file_and_are_printed(
    app: Flask, ann: Actor, ann_browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold_clock(monkeypatch)
    phone_of(app, ann)
    ann_browser.sign_in("ann", PASSWORD)
    with app.app_context():
        before = len(rows(RecoveryCode))
    renew = "/settings/two-factor/recovery-codes"
    browser = Browser(app)
    page = browser.sign_in("ann", PASSWORD).location
    browser.post(page, {"otp": phone_of_codes(app, ann)[0]}, form=page)
    shown = browser.post(renew, {"current_password": PASSWORD}, form=renew).text
    codes = re.findall(r"<li><code>([a-z2-7-]+)</code>", shown)
    (file,) = re.findall(r'href="data:text/plain;charset=utf-8,([^"]+)"', shown)
    assert len(codes) == before
    assert all(code in file for code in codes)
    assert "data-print" in shown
    assert "data-copy" in shown


def phone_of_codes(app: Flask, actor: Actor) -> list[str]:
    with app.app_context():
        return recovery_codes.make(actor.id)


def test_removing_the_last_factor_says_that_the_codes_end(
    app: Flask, ann: Actor, ann_browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold_clock(monkeypatch)
    phone_of(app, ann)
    browser = Browser(app)
    page = browser.sign_in("ann", PASSWORD).location
    browser.post(page, {"otp": phone_of_codes(app, ann)[0]}, form=page)
    listed = browser.get("/settings/two-factor").text
    (removal,) = re.findall(r'href="(/settings/two-factor/[\w-]+/remove)"', listed)
    assert "Your 9 recovery codes are deleted" in browser.get(removal).text


def test_invitation_names_who_invites_to_what_as_whom_until_when(
    app: Flask, mailbox: Mailbox, root_browser: Browser, browser: Browser
) -> None:
    fields = {"email": "carl@example.com", "username": "carl", "role": "user"}
    page = root_browser.get("/admin/users/invite").text
    assert "within 3 days" in page
    root_browser.post("/admin/users/invite", fields)
    (mail,) = [mail for mail in mailbox.receive() if mail["To"] == "carl@example.com"]
    site = app.config["PUBLIC_URL"]
    told = text(mail)
    assert all(words in told for words in ("root", site, "carl", "within 3 days"))
    (link,) = re.findall(r"/auth/invite/\w+", told)
    shown = browser.get(link).text
    assert "root created an account for you" in shown
    assert "<strong>carl</strong>" in shown
    assert "The link works until <time" in shown


def test_reset_link_in_the_session_of_another_account_says_so(
    app: Flask, ann: Actor, bob_browser: Browser, ann_browser: Browser
) -> None:
    with app.app_context():
        link = "/auth/reset/" + password_reset.make_link(SYSTEM, users.get(SYSTEM, ann.id))
    assert "You are signed in as bob." in bob_browser.get(link).text
    assert "You are signed in as" not in ann_browser.get(link).text


def test_leaving_sends_a_mail(mailbox: Mailbox, ann_browser: Browser) -> None:
    mailbox.receive()
    data = "/settings/data"
    fields = {"username": "ann", "current_password": PASSWORD}
    ann_browser.post(f"{data}/delete", fields, form=data)
    (mail,) = mailbox.receive()
    assert mail["Subject"] == f"Your account was deleted - {NAME}"
