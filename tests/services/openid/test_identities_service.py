"""The account that a user of an OpenID provider gets, also with concurrent sign-ins."""

from dataclasses import replace
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import insert

from app.errors import Conflict, NotLinked
from app.extensions import db
from app.models import Factor, LinkedAccount, SignInAttempt, User
from app.models.types import now
from app.services.accounts import export as account_export, password_reset
from app.services.authentication import one_time_links
from app.services.openid import linked_accounts, sign_in as openid_entry
from app.services.openid.person import Person
from app.services.shared import throttle
from app.services.shared.actor import Actor
from app.services.users import passwords, registration
from tests.conftest import MakePerson
from tests.support.races import race, split
from tests.support.rows import events, rows, set_values

CARL = Person(
    issuer="https://id.example",
    subject="1001",
    email="carl@example.com",
    email_verified=True,
    username="carl",
)
HOME = Actor(address="192.0.2.7", request_id="of-the-test")
ROUNDS = 5


def enter(person: Person = CARL, *, registration_open: bool = True) -> User:
    return openid_entry.enter(HOME, person, registration_open=registration_open)


@pytest.mark.usefixtures("ctx")
@pytest.mark.parametrize(
    ("wish", "username"),
    [
        ("carl", "carl"),
        ("Carl Plüm!", "Carl-Plum"),
        ("carl@corp.example", "carl"),
        ("", "carl"),
        ("<script>", "script"),
        ("\0\0", "user-"),
        ("花子", "user-"),
        ("a", "a-"),
        ("x" * 200, "x" * 73),
    ],
)
def test_username_is_as_wished_as_far_as_the_rules_go(wish: str, username: str) -> None:
    user = enter(replace(CARL, username=wish))
    assert user.username.startswith(username)
    assert len(user.username) in (len(username), len(username) + 6)


@pytest.mark.usefixtures("ctx")
def test_username_that_is_taken_gets_digits_behind(make_person: MakePerson) -> None:
    registration.register(Actor(), "CARL", "other@example.com", "seven plums and a pear")
    assert enter().username.startswith("carl-")


@pytest.mark.usefixtures("ctx")
def test_no_free_username_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.services.openid.sign_in.secrets.randbelow", lambda _: 7)
    for person in (CARL, replace(CARL, subject="1002", email="second@example.com")):
        enter(person)
    with pytest.raises(NotLinked, match="username"):
        enter(replace(CARL, subject="1003", email="third@example.com"))


@pytest.mark.usefixtures("ctx")
def test_same_subject_of_another_provider_is_somebody_else() -> None:
    other = replace(CARL, issuer="https://other.example", email="dora@example.com")
    assert enter().id != enter(other).id


@pytest.mark.usefixtures("ctx")
def test_signing_in_makes_the_address_known_as_ones_own() -> None:
    user = enter()
    (attempt,) = rows(SignInAttempt)
    account = throttle.account_of(user.id, "")
    assert (attempt.account, attempt.address) == (account, HOME.address)
    assert attempt.succeeded


@pytest.mark.usefixtures("ctx")
def test_export_holds_what_signs_in_to_the_account() -> None:
    user = enter()
    (found,) = account_export.export(Actor(id=user.id))["identities"]
    assert (found["issuer"], found["subject"], found["email"]) == (
        CARL.issuer,
        CARL.subject,
        CARL.email,
    )


def test_of_first_logins_at_once_one_makes_the_account(app: Flask) -> None:
    for number in range(ROUNDS):
        person = replace(CARL, subject=f"n{number}", email=f"n{number}@example.com")
        users, lost = split(race(app, [partial(enter, person)] * 4))
        assert len({user.id for user in users}) == 1, lost
    with app.app_context():
        assert (
            len(rows(User)) == len(rows(LinkedAccount)) == len(events("identity.linked")) == ROUNDS
        )


def test_of_two_people_with_one_address_one_gets_the_account(app: Flask) -> None:
    for number in range(ROUNDS):
        both = [
            replace(CARL, subject=s, email=f"n{number}@example.com")
            for s in (f"a{number}", f"b{number}")
        ]
        done, lost = split(race(app, [partial(enter, p) for p in both]), NotLinked)
        assert (len(done), len(lost)) == (1, 1)


def test_of_the_last_two_ways_in_one_stays(app: Flask) -> None:
    for number in range(2 * ROUNDS):
        first = replace(CARL, subject=f"a{number}", email=f"n{number}@example.com")
        with app.app_context():
            actor = Actor(id=enter(first).id, signed_in_at=now())
            linked_accounts.link(actor, replace(first, subject=f"b{number}"))
            both = [identity.id for identity in linked_accounts.of_actor(actor)]
        calls = [partial(linked_accounts.unlink, actor, one) for one in both]
        done, lost = split(race(app, calls), Conflict)
        assert (len(done), len(lost)) == (1, 1)


def test_one_identity_is_linked_to_one_account_only(app: Flask, ann: Actor, bob: Actor) -> None:
    done, lost = split(
        race(app, [partial(linked_accounts.link, a, CARL) for a in (ann, bob)]), Conflict
    )
    assert (len(done), len(lost)) == (1, 1)


@pytest.mark.usefixtures("ctx")
@pytest.mark.parametrize("confirmed", [True, False])
def test_passkey_is_a_way_in_once_it_counts(confirmed: bool) -> None:
    user = enter()
    actor = Actor(id=user.id, signed_in_at=now())
    with db.engine.begin() as connection:
        values = {"user_id": user.id, "kind": "passkey", "name": "key"}
        moment = now() if confirmed else None
        connection.execute(insert(Factor).values(**values, confirmed_at=moment))
    (only,) = linked_accounts.of_actor(actor)
    if confirmed:
        linked_accounts.unlink(actor, only.id)
    else:
        with pytest.raises(Conflict):
            linked_accounts.unlink(actor, only.id)


@pytest.mark.parametrize("password", ["", "of nobody", "!"])
def test_account_without_a_password_is_opened_by_none(password: str) -> None:
    assert not passwords.verify(passwords.NO_PASSWORD, password)


@pytest.mark.usefixtures("ctx")
@pytest.mark.parametrize(("verified", "left"), [(False, 0), (True, 1)])
def test_who_opened_an_account_with_the_address_of_another_loses_it_whole(
    ann: Actor, verified: bool, left: int
) -> None:
    """The owner of the address follows a mailed link."""
    set_values(User, ann.id, email_verified=verified)
    linked_accounts.link(ann, CARL)
    secret = one_time_links.make(ann.id, "reset", email="ann@example.com")
    password_reset.follow(HOME, secret, "eleven apples in a bowl")
    assert len(rows(LinkedAccount)) == left


@pytest.mark.usefixtures("ctx")
def test_link_that_went_nowhere_proves_no_address(ann: Actor) -> None:
    linked_accounts.link(ann, CARL)
    password_reset.follow(
        HOME, one_time_links.make(ann.id, "reset", email=""), "eleven apples in a bowl"
    )
    assert len(rows(LinkedAccount)) == 1
