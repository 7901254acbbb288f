"""Concurrent uses of links and invitations: each works once, and none survives a change."""

import os
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from app.errors import (
    Conflict,
    Invalid,
    InvalidToken,
    PreconditionFailed,
    TooManyRequests,
    VoidLink,
)
from app.models import OneTimeLink, OutboxEntry, Token, User
from app.services.access import token_pairs
from app.services.accounts import accounts, email_confirmation, invitations, password_reset
from app.services.authentication import authentication, one_time_links
from app.services.outbox import outbox
from app.services.shared.actor import SYSTEM, Actor
from app.services.users import registration, users
from tests.conftest import PASSWORD, MakeApp, MakePerson
from tests.support.races import Call, race, split
from tests.support.rows import rows

THREADS = 20
ROUNDS = int(os.environ.get("LINK_RACE_ROUNDS", "3"))
NEW_PASSWORDS = [f"{number} apples in a bowl" for number in range(THREADS)]
STRANGERS = [Actor(address=f"192.0.2.{number}") for number in range(THREADS)]


@pytest.fixture
def wide(other_app: MakeApp, tmp_path: Path) -> Flask:
    """An app with mail and an open connection for each thread."""
    app = other_app(DATABASE_POOL_SIZE=str(THREADS), MAIL_URL=f"file:{tmp_path}")
    race(app, [users.is_empty] * THREADS)
    return app


@pytest.fixture(params=range(ROUNDS), ids=lambda number: f"round{number}")
def ann(request: pytest.FixtureRequest, make_person: MakePerson) -> Actor:
    return make_person("ann")


def user_of(actor: Actor) -> User:
    return users.get(SYSTEM, actor.id)


@pytest.mark.parametrize("purpose", ["reset", "invite"])
def test_password_is_set_by_one(wide: Flask, ann: Actor, purpose: str) -> None:
    with wide.app_context():
        secret = one_time_links.make(ann.id, purpose, "ann@example.com")
        token_pairs.sign_in(Actor(), "ann", PASSWORD)

    def use(password: str) -> str:
        password_reset.follow(Actor(), secret, password)
        return password

    calls = [partial(use, password) for password in NEW_PASSWORDS]
    (password,), lost = split(race(wide, calls), VoidLink)
    assert len(lost) == THREADS - 1
    with wide.app_context():
        assert authentication.authenticate(Actor(), "ann", password).id == ann.id
        assert rows(Token) == rows(OneTimeLink) == []
        assert len(rows(OutboxEntry, name="password_changed")) == 1


def test_address_is_confirmed_by_one(wide: Flask, ann: Actor) -> None:
    with wide.app_context():
        secret = one_time_links.make(ann.id, "confirm", "new@example.com")
    won, lost = split(
        race(wide, [lambda: email_confirmation.follow(ann, secret)] * THREADS), VoidLink
    )
    assert (len(won), len(lost)) == (1, THREADS - 1)
    with wide.app_context():
        assert len(rows(OutboxEntry, name="email_changed")) == 1


def test_address_that_many_want_is_one_accounts(
    wide: Flask, ann: Actor, make_person: MakePerson
) -> None:
    others = [make_person(f"other-{number}") for number in range(THREADS // 2)]
    with wide.app_context():
        secrets = [one_time_links.make(actor.id, "confirm", "New@example.com") for actor in others]
    confirming: list[Call] = [
        partial(email_confirmation.follow, actor, secret)
        for actor, secret in zip(others, secrets, strict=True)
    ]
    opening: list[Call] = [
        partial(registration.register, Actor(), f"new-{number}", "new@example.com", PASSWORD)
        for number in range(THREADS // 2)
    ]
    won, lost = split(race(wide, confirming + opening), Conflict)
    assert (len(won), len(lost)) == (1, THREADS - 1)
    with wide.app_context():
        assert [row.id for row in rows(User) if row.email.lower() == "new@example.com"] == [
            won[0].id
        ]


def test_link_and_change_of_the_password_do_not_both_succeed(wide: Flask, ann: Actor) -> None:
    with wide.app_context():
        secret = password_reset.make_link(SYSTEM, user_of(ann))
    changes = {"password": "a change by its owner"}
    calls: list[Call] = [
        lambda: password_reset.follow(Actor(), secret, "nine apples, no pear"),
        lambda: accounts.update_self(ann, changes, PASSWORD),
    ]
    won, _ = split(
        race(wide, calls * 5), VoidLink, PreconditionFailed, Invalid, InvalidToken, TooManyRequests
    )
    assert len(won) == 1


def test_no_link_outlives_the_address_that_it_goes_to(wide: Flask, ann: Actor) -> None:
    with wide.app_context():
        secret = one_time_links.make(ann.id, "confirm", "new@example.com")
        for _ in range(THREADS // 2):
            outbox.add("mail", "reset", {"to": "ann@example.com"})
        due = outbox.claim(THREADS)
    sending: list[Call] = [
        partial(one_time_links.open_for, entry) for entry in due if entry.name == "reset"
    ]
    race(wide, [*sending, lambda: email_confirmation.follow(ann, secret), *sending])
    with wide.app_context():
        assert user_of(ann).email == "new@example.com"
        assert rows(OneTimeLink) == []


def test_of_twenty_requests_for_one_address_one_mail_leaves(wide: Flask, ann: Actor) -> None:
    calls: list[Call] = [partial(password_reset.ask, who, "ann@example.com") for who in STRANGERS]
    assert race(wide, calls) == [None] * THREADS
    with wide.app_context():
        assert len(rows(OutboxEntry, name="reset")) == 1


def test_guest_whom_many_invite_is_invited_once(wide: Flask, ann: Actor) -> None:
    emails = ["dan@example.com", "DAN@example.com"]
    calls: list[Call] = [
        partial(invitations.invite, SYSTEM, emails[number % 2], f"dan-{number}")
        for number in range(THREADS)
    ]
    won, lost = split(race(wide, calls), Conflict)
    assert (len(won), len(lost)) == (1, THREADS - 1)
    with wide.app_context():
        assert len(rows(OutboxEntry, name="invite")) == 1


def test_links_that_are_made_at_once_leave_three(wide: Flask, ann: Actor) -> None:
    with wide.app_context():
        user: Any = user_of(ann)
    secrets = race(wide, [lambda: password_reset.make_link(SYSTEM, user)] * THREADS)
    with wide.app_context():
        assert [password_reset.is_live(secret) for secret in secrets].count(True) == 3
        assert len(rows(OneTimeLink)) == 3
