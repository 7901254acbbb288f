"""Failed sign-ins are counted: per account and address, per address, per account."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import insert
from werkzeug.test import TestResponse

from app.extensions import db
from app.models import SignInAttempt
from app.models.types import now, uuid7
from app.services.shared import throttle
from app.services.shared.actor import Actor
from app.services.shared.client_networks import network_of
from tests.conftest import PASSWORD, MakePerson, email_of, signed_in_api
from tests.support.answers import blamed, slug_of, without_request
from tests.support.clients import Api, Browser
from tests.support.races import at_once
from tests.support.rows import age, events, rows

WRONG = "not seven plums"
HOME, ELSEWHERE = "192.0.2.1", "192.0.2.2"
REFUSED, HELD_UP = (401, "bad-credentials"), (429, "too-many-requests")


def sign_in(
    api: Api, password: str = WRONG, *, who: str = "ann", address: str = HOME
) -> TestResponse:
    body = {"identifier": who, "password": password}
    return api.post("/auth/login", body, environ_overrides={"REMOTE_ADDR": address})


def fail(api: Api, times: int, **options: Any) -> None:
    for _ in range(times):
        assert slug_of(sign_in(api, **options)) == REFUSED


def pass_time(app: Flask, **by: float) -> None:
    with app.app_context():
        age(SignInAttempt, "created_at", timedelta(**by))


def attempts(app: Flask, number: int, **values: Any) -> None:
    """Store `number` recent failures, each from its own address."""
    found = [
        {
            "id": uuid7(),
            "account": uuid7(),
            "address": f"198.51.100.{index}",
            "succeeded": False,
            "created_at": now(),
            **values,
        }
        for index in range(number)
    ]
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(insert(SignInAttempt), found)


@pytest.mark.parametrize("password", ["wrong", PASSWORD])
def test_eleventh_within_five_minutes_is_held_up(api: Api, ann: Actor, password: str) -> None:
    fail(api, 10)
    answer = sign_in(api, password)
    assert slug_of(answer) == HELD_UP
    assert 290 <= int(answer.headers["Retry-After"]) <= 300


def test_tenth_may_still_be_right(api: Api, ann: Actor) -> None:
    fail(api, 9)
    assert sign_in(api, PASSWORD).status_code == 200


def test_only_failures_are_counted(api: Api, ann: Actor) -> None:
    fail(api, 9)
    assert [sign_in(api, PASSWORD).status_code for _ in range(12)] == [200] * 12
    fail(api, 1)
    assert sign_in(api, PASSWORD).status_code == 429


def test_account_is_open_from_another_address(api: Api, ann: Actor) -> None:
    fail(api, 10)
    assert sign_in(api, PASSWORD, address=ELSEWHERE).status_code == 200
    assert sign_in(api, PASSWORD).status_code == 429


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::/64"),
        ("2001:db8::/64", "2001:db8::/64"),
        ("", ""),
        ("no:address", "no:address"),
    ],
)
def test_address_of_ipv6_stands_for_its_network(address: str, network: str) -> None:
    assert network_of(address) == network


def test_changing_the_address_within_a_network_gives_no_more_attempts(api: Api, ann: Actor) -> None:
    for number in range(10):
        fail(api, 1, address=f"2001:db8::{number:x}")
    assert slug_of(sign_in(api, PASSWORD, address="2001:db8::ffff")) == HELD_UP
    assert sign_in(api, PASSWORD, address="2001:db8:0:1::1").status_code == 200


def test_another_account_is_open_from_the_same_address(api: Api, ann: Actor, bob: Actor) -> None:
    fail(api, 10)
    assert sign_in(api, PASSWORD, who="bob").status_code == 200


def test_one_may_try_again_when_retry_after_says(app: Flask, api: Api, ann: Actor) -> None:
    fail(api, 1)
    pass_time(app, minutes=4)
    fail(api, 9)
    wait = int(sign_in(api).headers["Retry-After"])
    assert wait <= 60
    pass_time(app, seconds=wait)
    fail(api, 1)
    assert slug_of(sign_in(api)) == HELD_UP


def test_held_up_attempts_are_not_counted(app: Flask, api: Api, ann: Actor) -> None:
    fail(api, 10)
    for _ in range(3):
        sign_in(api)
    pass_time(app, minutes=5)
    assert sign_in(api, PASSWORD).status_code == 200


def test_email_and_username_are_one_account_in_any_case(api: Api, ann: Actor) -> None:
    for name in ("ann", "ANN", email_of("ann"), email_of("Ann"), " ann"):
        fail(api, 2 if name != " ann" else 0, who=name)
    fail(api, 2)
    assert [slug_of(sign_in(api, who=name)) for name in ("Ann", email_of("ANN"))] == [HELD_UP] * 2


@pytest.mark.parametrize("who", ["nobody", "nobody@example.com", "x" * 5000, ""])
def test_unknown_name_is_counted_alike(api: Api, ann: Actor, who: str) -> None:
    fail(api, 10, who=who)
    unknown = sign_in(api, who=who.upper())
    fail(api, 10)
    known = sign_in(api)
    assert slug_of(unknown) == slug_of(known) == HELD_UP
    assert without_request(unknown) == without_request(known)


def test_deactivated_account_is_counted_alike(
    app: Flask, api: Api, root_api: Api, ann: Actor
) -> None:
    root_api.patch(f"/users/{ann.id}", {"is_active": False})
    fail(api, 10, password=PASSWORD)
    assert slug_of(sign_in(api, PASSWORD)) == HELD_UP


def test_hundred_and_first_from_one_address_is_held_up(app: Flask, api: Api, ann: Actor) -> None:
    attempts(app, 99, address=HOME)
    fail(api, 1)
    assert slug_of(sign_in(api, PASSWORD)) == HELD_UP
    assert sign_in(api, PASSWORD, address=ELSEWHERE).status_code == 200
    pass_time(app, minutes=5)
    assert sign_in(api, PASSWORD).status_code == 200


def of_ann(app: Flask, ann: Actor) -> str:
    return throttle.account_of(ann.id, "")


def test_account_is_held_up_after_a_hundred_in_an_hour_from_anywhere(
    app: Flask, api: Api, ann: Actor
) -> None:
    attempts(app, 99, account=of_ann(app, ann))
    fail(api, 1)
    answer = sign_in(api, PASSWORD, address=ELSEWHERE)
    assert slug_of(answer) == HELD_UP
    assert 3590 <= int(answer.headers["Retry-After"]) <= 3600
    pass_time(app, hours=1)
    assert sign_in(api, PASSWORD, address=ELSEWHERE).status_code == 200


def test_owner_is_not_locked_out_from_where_they_have_been_before(
    app: Flask, api: Api, ann: Actor
) -> None:
    assert sign_in(api, PASSWORD).status_code == 200
    attempts(app, 150, account=of_ann(app, ann))
    assert slug_of(sign_in(api, PASSWORD, address=ELSEWHERE)) == HELD_UP
    assert sign_in(api, PASSWORD).status_code == 200


def test_address_of_the_owner_is_held_to_the_smaller_limits(
    app: Flask, api: Api, ann: Actor
) -> None:
    assert sign_in(api, PASSWORD).status_code == 200
    fail(api, 10)
    assert slug_of(sign_in(api, PASSWORD)) == HELD_UP


def test_address_that_one_person_signed_in_from_is_not_another_ones(
    app: Flask, api: Api, ann: Actor, bob: Actor
) -> None:
    assert sign_in(api, PASSWORD, who="bob").status_code == 200
    attempts(app, 100, account=of_ann(app, ann))
    assert slug_of(sign_in(api, PASSWORD)) == HELD_UP


def test_page_and_api_count_together(app: Flask, api: Api, ann: Actor) -> None:
    browser = Browser(app)
    for _ in range(5):
        assert browser.sign_in("ann", "wrong").status_code == 422
    fail(api, 5, address="127.0.0.1")
    assert browser.sign_in("ann", PASSWORD).status_code == 429
    assert sign_in(api, PASSWORD, address="127.0.0.1").status_code == 429


def test_app_that_is_another_process_counts_along(
    app: Flask, api: Api, ann: Actor, other_app: Any
) -> None:
    fail(api, 5)
    fail(Api(other_app(RATELIMIT_ENABLED="0")), 5)
    assert slug_of(sign_in(api, PASSWORD)) == HELD_UP


def test_address_is_not_taken_from_a_header(api: Api, ann: Actor) -> None:
    """PROXY_HOPS is 0: a changing X-Forwarded-For does not change the client's address."""
    for number in range(10):
        forged = {"X-Forwarded-For": f"203.0.113.{number}"}
        body = {"identifier": "ann", "password": "wrong"}
        assert api.post("/auth/login", body, headers=forged).status_code == 401
    assert sign_in(api, PASSWORD, address="127.0.0.1").status_code == 429


@pytest.mark.parametrize("attempt", range(3))
def test_of_thirty_wrong_ones_at_once_ten_are_answered(
    app: Flask, ann: Actor, attempt: int
) -> None:
    answers = at_once([lambda: sign_in(Api(app)) for _ in range(30)])
    told = [slug_of(answer) for answer in answers]
    assert (told.count(REFUSED), told.count(HELD_UP)) == (10, 20)
    with app.app_context():
        assert len(rows(SignInAttempt)) == len(events("session.refused")) == 10


def test_right_one_among_many_wrong_at_once_tells_no_more_than_the_limit(
    app: Flask, ann: Actor
) -> None:
    passwords = [*("wrong" for _ in range(25)), PASSWORD]
    answers = at_once([lambda p=p: sign_in(Api(app), p) for p in passwords])  # type: ignore[misc]
    assert [answer.status_code for answer in answers].count(401) <= 10
    assert {answer.status_code for answer in answers} <= {200, 401, 429}


def guess(api: Api, password: str) -> TestResponse:
    body = {"email": "new@example.com", "current_password": password}
    return api.patch("/users/me", body, environ_overrides={"REMOTE_ADDR": HOME})


def test_guesses_at_the_current_password_are_counted(ann_api: Api) -> None:
    for _ in range(10):
        answer = guess(ann_api, "wrong")
        assert (slug_of(answer), blamed(answer)) == ((422, "invalid"), ["/current_password"])
    answer = guess(ann_api, PASSWORD)
    assert slug_of(answer) == HELD_UP
    assert int(answer.headers["Retry-After"]) > 290


def test_guesses_and_sign_ins_count_together(app: Flask, api: Api, ann_api: Api) -> None:
    for _ in range(5):
        guess(ann_api, "wrong")
    fail(api, 5)
    assert (guess(ann_api, PASSWORD).status_code, sign_in(api, PASSWORD).status_code) == (429, 429)


def test_of_thirty_guesses_at_once_ten_are_answered(
    app: Flask, ann: Actor, make_person: MakePerson
) -> None:
    token = signed_in_api(app, ann).token
    answers = at_once([lambda: guess(Api(app, token), "wrong") for _ in range(30)])
    statuses = [answer.status_code for answer in answers]
    assert (statuses.count(422), statuses.count(429)) == (10, 20)


def test_nothing_that_was_typed_is_kept(app: Flask, api: Api, ann: Actor) -> None:
    fail(api, 1, who="my secret password")
    with app.app_context():
        kept = str(rows(SignInAttempt)) + str(events())
    assert "secret" not in kept
