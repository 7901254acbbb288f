"""The admin role by a group at an OpenID provider."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from flask import Flask

from app.models import LinkedAccount, User
from app.models.types import now
from app.services.accounts import accounts, first_proof, link_changes
from app.services.openid import group_roles, linked_accounts, sign_in as openid_entry
from app.services.openid.person import Person
from app.services.shared.actor import SYSTEM, Actor
from app.services.users import users
from tests.conftest import MakePerson
from tests.support.clients import Browser
from tests.support.mailbox import Mailbox, text
from tests.support.openid_provider import LINK, Claims, Provider, client_of, configure, go, link
from tests.support.races import race, split
from tests.support.rows import events, prove_address, rows

CARL = Person(
    issuer="https://id.example",
    subject="1001",
    email="carl@example.com",
    email_verified=True,
    username="carl",
)
MEMBER = replace(CARL, admin_groups=("ops",))
HOME = Actor(address="192.0.2.7", request_id="of-the-test")
ROUNDS = 5


def enter(person: Person) -> User:
    user = openid_entry.enter(HOME, person, registration_open=True)
    return users.get(SYSTEM, user.id)


def roles() -> dict[str, str]:
    return {user.username: user.role for user in rows(User)}


@pytest.mark.usefixtures("ctx", "root")
def test_role_follows_the_group_at_each_sign_in() -> None:
    told = [enter(person).role for person in (CARL, MEMBER, MEMBER, CARL, CARL)]
    assert told == ["user", "admin", "admin", "user", "user"]


@pytest.mark.usefixtures("ctx", "root")
def test_change_is_audited_with_its_reason_and_who_signed_in() -> None:
    carl = enter(MEMBER)
    enter(CARL)
    given, taken = events("user.updated")
    assert given.changes == {
        "role": ["user", "admin"],
        "reason": [None, "member of ops at https://id.example"],
    }
    assert taken.changes == {
        "role": ["admin", "user"],
        "reason": [None, "in no group of admins at https://id.example"],
    }
    assert (given.actor_id, given.target_id, given.address) == (carl.id, carl.id, HOME.address)


@pytest.mark.usefixtures("root")
def test_owner_is_told_by_mail(app: Flask, mailbox: Mailbox) -> None:
    with app.app_context():
        enter(MEMBER)
    (mail,) = mailbox.receive()
    told = " ".join(text(mail).split())
    assert mail["Subject"].startswith("Your role was changed")
    assert "user → admin" in told
    assert "member of ops at https://id.example" in told


@pytest.mark.usefixtures("ctx")
def test_last_active_admin_stays_until_there_is_another(make_person: MakePerson) -> None:
    enter(MEMBER)
    assert enter(CARL).role == "admin"
    make_person("root", "admin")
    assert enter(CARL).role == "user"


@pytest.mark.usefixtures("ctx", "root")
def test_admin_by_hand_stays_one_without_the_group() -> None:
    carl = enter(CARL)
    accounts.update(SYSTEM, carl.id, {"role": "admin"})
    assert [enter(person).role for person in (MEMBER, CARL)] == ["admin", "admin"]


@pytest.mark.usefixtures("ctx", "root")
def test_change_by_hand_makes_the_role_one_by_hand() -> None:
    carl = enter(MEMBER)
    for role in ("user", "admin"):
        accounts.update(SYSTEM, carl.id, {"role": role})
    assert enter(CARL).role == "admin"


@pytest.mark.usefixtures("ctx", "root")
def test_other_change_by_an_admin_leaves_the_role_one_of_the_group() -> None:
    carl = enter(MEMBER)
    accounts.update(SYSTEM, carl.id, {"role": "admin", "email": "moved@example.com"})
    assert enter(CARL).role == "user"


@pytest.mark.usefixtures("ctx", "root")
def test_groups_of_another_linked_account_take_nothing_away() -> None:
    carl = enter(MEMBER)
    other = replace(CARL, issuer="https://other.example")
    linked_accounts.link(Actor(id=carl.id, signed_in_at=now()), other)
    assert enter(other).role == "admin"


@pytest.mark.usefixtures("ctx", "root")
def test_no_account_but_the_linked_one_becomes_an_admin(ann: Actor) -> None:
    enter(CARL)
    group_roles.follow(HOME, users.get(SYSTEM, ann.id), MEMBER)
    assert roles() == {"root": "admin", "ann": "user", "carl": "user"}


@pytest.mark.usefixtures("ctx", "root")
def test_deactivated_account_gets_no_role() -> None:
    carl = enter(CARL)
    stale = users.get(SYSTEM, carl.id)
    accounts.update(SYSTEM, carl.id, {"is_active": False})
    group_roles.follow(HOME, stale, MEMBER)
    assert roles()["carl"] == "user"


def remove_by_unlinking(actor: Actor, identity: Any) -> None:
    linked_accounts.unlink(actor, identity.id)


def remove_by_proof(actor: Actor, _identity: Any) -> None:
    first_proof.remove_added(actor, actor.id, now() + timedelta(seconds=1))


def remove_by_reset(actor: Actor, _identity: Any) -> None:
    user = users.get(SYSTEM, actor.id)
    link_changes.set_password_hash(actor, actor.id, "a hash", user.email)


def remove_by_undo(actor: Actor, identity: Any) -> None:
    link_changes.restore_email(actor, actor.id, "old@example.com", identity.created_at)


@pytest.mark.usefixtures("ctx", "root")
@pytest.mark.parametrize(
    "remove", [remove_by_unlinking, remove_by_proof, remove_by_reset, remove_by_undo]
)
def test_role_goes_with_the_link_that_gave_it(remove: Callable[[Actor, Any], None]) -> None:
    carl = enter(MEMBER)
    accounts.update(SYSTEM, carl.id, {"email": "new@example.com"})  # an unconfirmed address
    linked_accounts.link(Actor(id=carl.id, signed_in_at=now()), replace(CARL, subject="1002"))
    (identity,) = rows(LinkedAccount, subject="1001")
    remove(Actor(id=carl.id, role="admin", signed_in_at=now()), identity)
    assert rows(LinkedAccount, subject="1001") == []
    assert roles() == {"root": "admin", "carl": "user"}


@pytest.mark.usefixtures("ctx")
def test_last_admin_may_unlink_and_stays() -> None:
    carl = enter(MEMBER)
    actor = Actor(id=carl.id, role="admin", signed_in_at=now())
    linked_accounts.link(actor, replace(CARL, subject="1002"))
    (identity,) = rows(LinkedAccount, subject="1001")
    linked_accounts.unlink(actor, identity.id)
    assert roles() == {"carl": "admin"}


def test_of_two_admins_who_lose_the_group_at_once_one_stays(app: Flask) -> None:
    for number in range(ROUNDS):
        both = [
            replace(MEMBER, subject=f"{name}{number}", email=f"{name}{number}@example.com")
            for name in ("a", "b")
        ]
        with app.app_context():
            for person in both:
                enter(person)
            for user in rows(User, role="admin"):
                if f"{number}@" not in user.email:
                    accounts.delete(SYSTEM, user.id)
        calls = [partial(enter, replace(person, admin_groups=())) for person in both]
        done, lost = split(race(app, calls))
        assert len(done) == len(both), lost
        with app.app_context():
            assert len(rows(User, role="admin")) == 1


# From here on over HTTP: the claims, and their effects on the pages.
on_one_database = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


@pytest.fixture
def mapped(app: Flask, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> Provider:
    """A provider with two groups whose members are admins here."""
    client = client_of(provider.issuer, admin_groups=("ops", "root"))
    configure(app, monkeypatch, client)
    return provider


@on_one_database
@pytest.mark.parametrize(
    ("claims", "role"),
    [
        ({"groups": ["staff", "ops"]}, "admin"),
        ({"groups": ["root"]}, "admin"),
        ({"groups": "ops"}, "admin"),
        ({"groups": ["OPS", "ops2", "/ops", ["ops"], {"ops": 1}, None, 7]}, "user"),
        ({"groups": "ops root"}, "user"),
        ({"groups": {"ops": True}}, "user"),
        ({"groups": None}, "user"),
        ({}, "user"),
        ({"hasgroups": True, "_claim_names": {"groups": "src1"}}, "user"),  # Entra ID: too many
        ({"roles": ["ops"]}, "user"),
    ],
)
@pytest.mark.usefixtures("root")
def test_groups_are_those_that_the_claim_lists(
    app: Flask, browser: Browser, mapped: Provider, claims: Claims, role: str
) -> None:
    mapped.person = {**mapped.person, **claims}
    go(browser)
    with app.app_context():
        assert roles()["carl"] == role


@on_one_database
def test_claim_and_scope_may_have_other_names(
    app: Flask, browser: Browser, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_of(
        provider.issuer,
        admin_groups=("ops",),
        groups_claim="https://example.org/roles",
        scope="openid email profile roles",
    )
    configure(app, monkeypatch, client)
    provider.person["https://example.org/roles"] = ["ops"]
    assert "scope=openid+email+profile+roles&" in browser.get("/auth/openid/start").location
    go(browser)
    with app.app_context():
        assert roles() == {"carl": "admin"}


@on_one_database
def test_groups_that_the_id_token_leaves_out_are_asked_for(
    app: Flask, browser: Browser, mapped: Provider
) -> None:
    mapped.person["groups"] = ["ops"]
    mapped.claims = {"groups": None}
    go(browser)
    with app.app_context():
        assert roles() == {"carl": "admin"}


@on_one_database
def test_no_group_counts_unless_it_is_set_up(
    app: Flask, browser: Browser, provider: Provider
) -> None:
    provider.person["groups"] = ["admin", "ops"]
    go(browser)
    with app.app_context():
        assert roles() == {"carl": "user"}
    assert "userinfo" not in provider.asked


@on_one_database
def test_link_says_so_and_changes_no_role_before_the_next_sign_in(
    app: Flask, ann: Actor, ann_browser: Browser, mapped: Provider
) -> None:
    prove_address(app, ann)
    mapped.person["groups"] = ["ops"]
    go(ann_browser)
    assert "make ann an admin here" in ann_browser.get(LINK).text
    link(ann_browser)
    with app.app_context():
        assert roles() == {"ann": "user"}
    assert go(Browser(app)).status_code == 303
    with app.app_context():
        assert roles() == {"ann": "admin"}


@on_one_database
@pytest.mark.usefixtures("root")
def test_pages_in_use_lose_the_rights_at_once(
    app: Flask, browser: Browser, mapped: Provider
) -> None:
    mapped.person["groups"] = ["ops"]
    go(browser)
    assert browser.get("/admin/").status_code == 200
    mapped.person["groups"] = []
    go(Browser(app))
    assert browser.get("/admin/").status_code == 403


@on_one_database
def test_admin_by_a_group_needs_the_required_factor_too(
    app: Flask, browser: Browser, mapped: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(app.extensions["settings"], require_admin_mfa="1")
    monkeypatch.setitem(app.extensions, "settings", settings)
    mapped.person["groups"] = ["ops"]
    go(browser)
    assert browser.get("/admin/").location == "/settings/two-factor"
