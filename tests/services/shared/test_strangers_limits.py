"""No counter that a stranger can raise locks the owner of an account out."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from app.models import OneTimeLink, OutboxEntry, SignInAttempt
from app.services.shared import throttle
from app.services.shared.actor import Actor
from tests.conftest import PASSWORD, MakeApp, signed_in_api
from tests.support.answers import slug_of
from tests.support.clients import Api, Browser
from tests.support.factors import hold_clock, phone_of
from tests.support.mailbox import LINK, Mailbox, text
from tests.support.rows import age, prove_address, rows

NEW_PASSWORD = "nine apples, no pear"
PAUSE, DAY = timedelta(minutes=5), timedelta(days=1)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    hold_clock(monkeypatch)


def forgot(api: Api, email: str = "ann@example.com", address: str = "198.51.100.7") -> int:
    environ = {"REMOTE_ADDR": address}
    return api.post("/auth/forgot", {"email": email}, environ_overrides=environ).status_code


def reset(api: Api, token: str) -> Any:
    return api.post("/auth/reset", {"token": token, "password": NEW_PASSWORD})


def mails_of(app: Flask, name: str) -> int:
    with app.app_context():
        return len(rows(OutboxEntry, name=name))


def let_pass(app: Flask, span: timedelta) -> None:
    with app.app_context():
        age(SignInAttempt, "created_at", span)


def sign_up(api: Api, number: int, address: str = "198.51.100.7") -> Any:
    body = {"username": f"new-{number}", "email": f"{number}@example.com", "password": PASSWORD}
    return from_network(api, body, address)


def test_a_hundred_requests_are_accepted_and_one_mail_leaves(
    app: Flask, mailbox: Mailbox, api: Api, ann: Actor
) -> None:
    mailbox.receive()
    addresses = [f"198.51.100.{number}" for number in range(100)]
    assert {forgot(api, address=address) for address in addresses} == {202}
    assert mails_of(app, "reset") == 1
    assert reset(api, mailbox.secret("reset")).status_code == 204


def test_unknown_address_is_counted_and_answered_alike(
    app: Flask, mailbox: Mailbox, api: Api
) -> None:
    assert {forgot(api, "nobody@example.com") for _ in range(3)} == {202}
    assert mails_of(app, "reset") == 1


def test_ten_mails_a_day_leave_for_strangers_and_more_for_the_owner(
    app: Flask, mailbox: Mailbox, api: Api, ann: Actor
) -> None:
    for _ in range(12):
        forgot(api)
        let_pass(app, PAUSE)
    assert mails_of(app, "reset") == 10
    body = {"identifier": "ann", "password": PASSWORD}
    here = {"REMOTE_ADDR": "203.0.113.5"}
    assert api.post("/auth/login", body, environ_overrides=here).status_code == 200
    forgot(api, address="203.0.113.5")
    assert mails_of(app, "reset") == 11
    let_pass(app, DAY)
    forgot(api)
    assert mails_of(app, "reset") == 12


def test_last_three_links_work_for_a_day(
    app: Flask, mailbox: Mailbox, api: Api, ann: Actor
) -> None:
    mailbox.receive()
    links = []
    for _ in range(4):
        forgot(api)
        links.append(mailbox.secret("reset"))
        let_pass(app, PAUSE)
    with app.app_context():
        age(OneTimeLink, "expires_at", timedelta(hours=23))
    assert slug_of(reset(api, links[0])) == (400, "void-link")
    assert reset(api, links[1]).status_code == 204
    assert slug_of(reset(api, links[3])) == (400, "void-link")


def test_page_says_the_same_however_often_it_is_asked(mailbox: Mailbox, browser: Browser) -> None:
    answers = [
        browser.post("/auth/forgot", {"email": "ann@example.com"}, form="/auth/forgot")
        for _ in range(4)
    ]
    assert {(answer.status_code, answer.location) for answer in answers} == {(303, "/auth/login")}


def wrong_codes(app: Flask, actor: Actor, number: int, code: str = "000000") -> list[int]:
    api, statuses = Api(app), []
    for _ in range(number):
        body = {"identifier": actor.username, "password": PASSWORD, "otp": code}
        statuses.append(api.post("/auth/login", body).status_code)
    return statuses


def test_new_password_starts_the_budget_of_codes_anew(
    app: Flask, mailbox: Mailbox, api: Api, ann: Actor
) -> None:
    prove_address(app, ann)
    phone = phone_of(app, ann)
    mailbox.receive()
    assert wrong_codes(app, ann, 6)[-1] == 429
    forgot(api)
    reset(api, mailbox.secret("reset"))
    body = {"identifier": "ann", "password": NEW_PASSWORD, "otp": phone.code()}
    assert api.post("/auth/login", body).status_code == 200


def test_recovery_codes_have_a_budget_of_their_own(app: Flask, api: Api, ann: Actor) -> None:
    phone = phone_of(app, ann)
    assert wrong_codes(app, ann, 6)[-1] == 429
    body = {"identifier": "ann", "password": PASSWORD, "otp": phone.recovery_codes[0]}
    assert api.post("/auth/login", body).status_code == 200
    assert wrong_codes(app, ann, 6, "aaaaaa-aaaaaa-aaaaaa-aaaaaa")[-1] == 429


def test_code_that_is_sent_twice_counts_as_one_attempt(app: Flask, ann: Actor) -> None:
    phone = phone_of(app, ann)
    for code in (phone.code(), phone.recovery_codes[0]):
        assert wrong_codes(app, ann, 8, code) == [200] + [401] * 7
    assert wrong_codes(app, ann, 1, phone.code(1)) == [200]


def test_reset_by_mail_opens_a_network_that_others_closed(
    app: Flask, mailbox: Mailbox, api: Api, ann: Actor
) -> None:
    """A hundred wrong passwords an hour block every network that the owner has not used."""
    with app.app_context():
        key = throttle.account_of(ann.id, "")
        for number in range(100):
            throttle.settle(key, f"203.0.113.{number}", succeeded=False)
    mailbox.receive()
    there = {"environ_overrides": {"REMOTE_ADDR": "198.51.100.7"}}
    assert sign_in(api, PASSWORD, there).status_code == 429
    forgot(api)
    typed = {"token": mailbox.secret("reset"), "password": NEW_PASSWORD}
    assert api.post("/auth/reset", typed, **there).status_code == 204
    assert sign_in(api, NEW_PASSWORD, there).status_code == 200


def sign_in(api: Api, password: str, there: dict[str, Any]) -> Any:
    return api.post("/auth/login", {"identifier": "ann", "password": password}, **there)


def test_confirmations_are_counted_by_their_target(
    app: Flask, mailbox: Mailbox, ann: Actor
) -> None:
    api = signed_in_api(app, ann)
    found = [api.post("/users/me/confirmation").status_code for _ in range(11)]
    assert found == [202] * 9 + [429] * 2  # the sign-up has sent the first
    corrected = {"email": "corrected@example.com", "current_password": PASSWORD}
    assert api.patch("/users/me", corrected).status_code == 200
    assert LINK.findall(text(mailbox.receive()[-1]))


def test_one_account_sends_no_more_than_twenty_confirmations_an_hour(
    mailbox: Mailbox, ann_api: Api
) -> None:
    found = []
    for number in range(21):
        body = {"email": f"{number}@example.com", "current_password": PASSWORD}
        found.append(ann_api.patch("/users/me", body).status_code)
    assert found == [200] * 20 + [429]


def test_sign_up_is_limited_for_one_network(app: Flask, api: Api) -> None:
    assert [sign_up(api, number).status_code for number in range(20)] == [201] * 20
    refused = sign_up(api, 20)
    assert slug_of(refused) == (429, "too-many-requests")
    assert 3500 < int(refused.headers["Retry-After"]) <= 3601
    assert sign_up(api, 21, "198.51.100.8").status_code == 201
    let_pass(app, timedelta(hours=1))
    assert sign_up(api, 22).status_code == 201


def test_sign_up_is_limited_for_one_subscriber_of_ipv6(api: Api) -> None:
    found = [sign_up(api, number, f"2001:db8::{number + 1:x}").status_code for number in range(21)]
    assert found == [201] * 20 + [429]


def test_refused_sign_up_is_not_counted(api: Api) -> None:
    sign_up(api, 1)
    assert {sign_up(api, 1).status_code for _ in range(30)} == {409}
    assert sign_up(api, 2).status_code == 201


def test_one_network_learns_of_a_hundred_taken_names_an_hour(
    app: Flask, api: Api, ann: Actor
) -> None:
    taken_names(app, 99)
    taken = {"username": "cat", "email": "ann@example.com", "password": PASSWORD}
    found = [from_network(api, taken) for _ in range(3)]
    assert [slug_of(answer)[0] for answer in found] == [409, 429, 429]
    assert 3500 < int(found[-1].headers["Retry-After"]) <= 3601
    assert slug_of(sign_up(api, 1)) == (429, "too-many-requests")  # hides a free name
    assert sign_up(api, 2, "198.51.100.8").status_code == 201


def test_taken_names_beside_another_fault_count_too(app: Flask, api: Api, ann: Actor) -> None:
    taken_names(app, 99)
    taken = {"username": "ann", "email": "ann@example.com", "password": "short"}
    found = [from_network(api, taken) for _ in range(2)]
    assert [len(answer.get_json()["errors"]) for answer in found] == [3, 1]


def test_one_account_learns_of_a_hundred_taken_addresses_an_hour(
    app: Flask, ann: Actor, bob: Actor
) -> None:
    taken_names(app, 99, ann.id)
    api = signed_in_api(app, ann)
    change = {"email": "bob@example.com", "current_password": PASSWORD}
    assert [api.patch("/users/me", change).status_code for _ in range(2)] == [409, 429]


def taken_names(app: Flask, number: int, who: str = "198.51.100.7") -> None:
    key = throttle.account_of(None, f"taken names for {who}")
    with app.app_context():
        for _ in range(number):
            throttle.note(key)


def from_network(api: Api, body: dict[str, str], address: str = "198.51.100.7") -> Any:
    return api.post("/users", body, environ_overrides={"REMOTE_ADDR": address})


def test_sign_up_has_no_limit_where_rates_are_off(other_app: MakeApp) -> None:
    api = Api(other_app(RATELIMIT_ENABLED="0"))
    assert {sign_up(api, number).status_code for number in range(25)} == {201}


def test_sign_up_mails_one_address_ten_times_a_day_at_the_most(
    app: Flask, mailbox: Mailbox
) -> None:
    for number in range(12):
        api = Api(app)
        body = {"username": "ann", "email": "ann@example.com", "password": PASSWORD}
        token = {"REMOTE_ADDR": f"198.51.100.{number}"}
        assert api.post("/users", body, environ_overrides=token).status_code == 201
        mine = signed_in_api(app, Actor(username="ann"))
        assert mine.delete("/users/me").status_code == 204
    key = throttle.account_of(None, "confirm mail ann@example.com")
    with app.app_context():
        assert len(rows(SignInAttempt, account=key)) == 10


def test_page_that_is_held_up_says_when_to_come_back_and_keeps_the_form(
    app: Flask, browser: Browser, ann: Actor
) -> None:
    for _ in range(10):
        browser.sign_in("ann", "no plums")
    answer = browser.sign_in("ann", "no plums")
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 300
    assert "Try again in 5 minutes" in answer.text
    assert 'value="ann"' in answer.text


def test_sign_up_page_that_is_held_up_keeps_the_form(
    app: Flask, api: Api, browser: Browser
) -> None:
    for number in range(20):
        sign_up(api, number, "127.0.0.1")
    fields = {"username": "carl", "email": "carl@example.com", "password": PASSWORD}
    answer = browser.post("/auth/register", fields, form="/auth/register")
    assert answer.status_code == 429
    assert "Try again in 60 minutes" in answer.text
    assert 'value="carl@example.com"' in answer.text


def test_code_page_that_is_held_up_says_when_to_come_back(
    app: Flask, browser: Browser, ann: Actor
) -> None:
    phone_of(app, ann)
    page = browser.sign_in("ann", PASSWORD).location
    for _ in range(5):
        browser.post(page, {"otp": "000000"}, form=page)
    answer = browser.post(page, {"otp": "000000"}, form=page)
    assert (answer.status_code, "Try again in 5 minutes" in answer.text) == (429, True)


@pytest.mark.usefixtures("ctx")
def test_known_network_of_another_account_is_no_ones(ann: Actor, bob: Actor) -> None:
    throttle.trust(throttle.account_of(bob.id, ""), "203.0.113.5")
    assert not throttle.is_known(throttle.account_of(ann.id, ""), "203.0.113.5")
    assert throttle.is_known(throttle.account_of(bob.id, ""), "203.0.113.5")
