"""A code that is sent many times at once counts once."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from app.errors import BadCredentials, BadOtp, Conflict, Invalid, TooManyRequests
from app.models import Session, SignInAttempt, Token
from app.services.access import page_sessions, token_pairs
from app.services.factors import factors, passkeys, totp, verification
from app.services.shared.actor import Actor
from app.services.users import users
from tests.conftest import PASSWORD, MakePerson
from tests.services.factors.test_passkeys_service import add as add_passkey, challenge
from tests.support.factors import Phone, add_app, hold_clock
from tests.support.races import race, split
from tests.support.rows import rows

AT_ONCE, ROUNDS = 20, 5


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    hold_clock(monkeypatch)


def of_app(phone: Phone) -> str:
    return phone.code()


def of_paper(phone: Phone) -> str:
    return phone.recovery_codes[0]


@pytest.mark.parametrize("chosen", [of_app, of_paper])
def test_of_twenty_with_one_code_one_signs_in(
    app: Flask, make_person: MakePerson, chosen: Callable[[Phone], str]
) -> None:
    for number in range(ROUNDS):
        person = make_person(f"ann-{number}")
        with app.app_context():
            otp = chosen(add_app(person))
        prove = lambda: verification.prove(Actor(), person.id, otp)  # noqa: B023, E731
        won, lost = split(race(app, [prove] * AT_ONCE), BadOtp, TooManyRequests)
        assert (len(won), len(lost)) == (1, AT_ONCE - 1)


def test_of_twenty_wrong_codes_at_once_five_are_answered(app: Flask, ann: Actor) -> None:
    with app.app_context():
        add_app(ann)
        before = len(rows(SignInAttempt))
    guess = lambda: verification.prove(Actor(), ann.id, "000000")  # noqa: E731
    _, lost = split(race(app, [guess] * AT_ONCE), BadOtp, TooManyRequests)
    assert [type(error) for error in lost].count(BadOtp) == 5
    with app.app_context():
        assert len(rows(SignInAttempt)) == before + 5


def test_one_app_is_set_up_at_once(app: Flask, ann: Actor) -> None:
    with app.app_context():
        phone = Phone(totp.begin(ann, PASSWORD).secret, [])
    confirm = lambda: totp.confirm(ann, phone.code())  # noqa: E731
    won, _ = split(race(app, [confirm] * 10), Conflict, Invalid)
    assert [len(codes) for codes in won] == [10]


def test_no_sign_in_by_password_outlives_the_first_factor(
    app: Flask, make_person: MakePerson
) -> None:
    """A concurrent sign-in without the factor ends without a session or token."""
    for number in range(ROUNDS):
        ann = make_person(f"ann-{number}")
        with app.app_context():
            user = users.get(ann, ann.id)
            phone = Phone(totp.begin(ann, PASSWORD).secret, [])
        calls: list[Callable[[], Any]] = [lambda: totp.confirm(ann, phone.code())]  # noqa: B023
        calls += [lambda: token_pairs.sign_in(Actor(), ann.username, PASSWORD)] * 4  # noqa: B023
        start = lambda: page_sessions.start(Actor(), user, remember=False, user_agent="")  # noqa: B023, E731
        race(app, calls + [start] * 4)
        with app.app_context():
            assert factors.has(ann.id)
            assert _sign_ins(ann) == 0


def _sign_ins(actor: Actor) -> int:
    return len(rows(Session, user_id=actor.id)) + len(rows(Token, user_id=actor.id))


def test_of_twenty_with_one_answer_of_a_passkey_one_signs_in(
    app: Flask, make_person: MakePerson
) -> None:
    for number in range(ROUNDS):
        person = make_person(f"ann-{number}")
        with app.app_context():
            device = add_passkey(person)
        asked = challenge()
        answer = device.sign(asked)
        use = lambda: passkeys.authenticate(Actor(), answer, asked)  # noqa: B023, E731
        won, lost = split(race(app, [use] * AT_ONCE), BadCredentials, TooManyRequests)
        assert (len(won), len(lost)) == (1, AT_ONCE - 1)


def test_of_twenty_passkeys_with_one_challenge_one_signs_in(app: Flask, ann: Actor) -> None:
    """Each answer is valid by itself: only the challenge is used once."""
    asked = challenge()
    with app.app_context():
        answers = [add_passkey(ann).sign(asked) for _ in range(AT_ONCE)]
    calls = [lambda one=one: passkeys.authenticate(Actor(), one, asked) for one in answers]
    won, lost = split(race(app, calls), BadCredentials, TooManyRequests)
    assert (len(won), len(lost)) == (1, AT_ONCE - 1)
