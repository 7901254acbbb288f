"""The rules of accounts."""

from typing import Any

import pytest
from argon2 import PasswordHasher

from app.errors import (
    BadCredentials,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    PreconditionFailed,
)
from app.faults import Code
from app.models import Session, Token, User
from app.services.access import bearer_tokens, page_sessions, token_pairs
from app.services.accounts import accounts, password_reset
from app.services.authentication import authentication
from app.services.shared.actor import SYSTEM, Actor
from app.services.users import passwords, registration, users
from app.sql.connection import RequestConnection as Connection
from tests.conftest import PASSWORD, email_of
from tests.services.outbox.test_mails import spied
from tests.support.page_sessions import start_session
from tests.support.rows import rows, set_values

NEW_PASSWORD = "eleven apples in a bowl"
pytestmark = pytest.mark.usefixtures("ctx")


def register(username: str = "ann", email: str = "ann@example.com") -> User:
    return registration.register(Actor(), username, email, PASSWORD)


def test_a_new_account_is_an_active_user_with_an_unverified_address() -> None:
    user = register()
    assert (user.role, user.is_active, user.email_verified) == ("user", True, False)
    assert user.version == 1


def test_password_is_kept_as_a_hash() -> None:
    user = register()
    assert user.password_hash.startswith("$argon2id$")
    assert passwords.verify(user.password_hash, PASSWORD)


def test_domain_of_an_address_is_kept_in_lower_case() -> None:
    assert register(email="Ann@Example.COM").email == "Ann@example.com"


@pytest.mark.parametrize("username", ["ann", "ANN", "Ann"])
def test_username_is_taken_without_case(username: str) -> None:
    register("ann")
    with pytest.raises(Conflict) as caught:
        register(username, "other@example.com")
    assert list(caught.value.fields) == ["username"]


@pytest.mark.parametrize("email", ["ann@example.com", "ANN@EXAMPLE.COM"])
def test_email_is_taken_without_case(email: str) -> None:
    register()
    with pytest.raises(Conflict) as caught:
        register("other", email)
    assert list(caught.value.fields) == ["email"]


@pytest.mark.parametrize(
    "username",
    ["", "ab", "a" * 81, "an n", "ann\n", "änn", "\u0430nn", "ann\u200b", "ann\0", "a/b"],
)
def test_bad_username_is_refused(username: str) -> None:
    with pytest.raises(Invalid) as caught:
        register(username)
    assert list(caught.value.fields) == ["username"]


@pytest.mark.parametrize(
    "email",
    [
        "",
        "ann",
        "ann@",
        "@example.com",
        "ann@example",
        "ann@example.com\r\nBcc: bob@example.com",
        "änn@example.com",
        "ann\0@example.com",
        f"{'a' * 64}@{'.'.join(['b' * 60] * 4)}.com",
        f"{'a' * 65}@example.com",
    ],
)
def test_bad_email_is_refused(email: str) -> None:
    with pytest.raises(Invalid) as caught:
        register(email=email)
    assert list(caught.value.fields) == ["email"]


def test_local_part_of_an_email_has_64_characters_at_the_most() -> None:
    """RFC 5321, 4.5.3.1.1."""
    assert register(email=f"{'a' * 64}@example.com").email == f"{'a' * 64}@example.com"
    with pytest.raises(Invalid) as caught:
        register("other", f"{'b' * 65}@example.com")
    assert getattr(caught.value.fields["email"], "code", None) == Code.TOO_LONG


def test_bad_password_is_refused_at_registration() -> None:
    with pytest.raises(Invalid) as caught:
        registration.register(Actor(), "ann", "ann@example.com", "short")
    assert list(caught.value.fields) == ["password"]
    assert users.is_empty()


@pytest.mark.parametrize("identifier", ["ann", "ANN", "ann@example.com", "Ann@Example.com"])
def test_username_and_email_sign_in_without_case(ann: Actor, identifier: str) -> None:
    assert authentication.authenticate(Actor(), identifier, PASSWORD).id == ann.id


@pytest.mark.parametrize("identifier", ["ann", "nobody", "", "an\u0130"])
def test_wrong_user_and_wrong_password_are_the_same_error(ann: Actor, identifier: str) -> None:
    with pytest.raises(BadCredentials, match=r"^Wrong email, username or password\.$"):
        authentication.authenticate(Actor(), identifier, "wrong")


def test_deactivated_account_does_not_sign_in(ann: Actor, root: Actor) -> None:
    accounts.update(root, ann.id, {"is_active": False})
    with pytest.raises(BadCredentials, match=r"^Wrong email, username or password\.$"):
        authentication.authenticate(Actor(), "ann", PASSWORD)


def test_outdated_hash_is_renewed_at_sign_in(ann: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    newer = PasswordHasher(time_cost=2, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords.Hashing, "hasher", newer)
    user = authentication.authenticate(Actor(), "ann", PASSWORD)
    assert "t=2" in user.password_hash
    assert not passwords.is_outdated(rows(User)[0].password_hash)


@pytest.mark.parametrize("password", [PASSWORD, NEW_PASSWORD])
def test_hash_that_was_renewed_meanwhile_is_looked_at_again(
    ann: Actor, password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By another sign-in with the same password, or by a change of the password."""
    other = passwords.hash_(password)

    def changed_by_now(_kept: str) -> bool:
        set_values(User, ann.id, password_hash=other)
        return True

    monkeypatch.setattr(passwords, "is_outdated", changed_by_now)
    if password == PASSWORD:
        assert authentication.authenticate(Actor(), "ann", PASSWORD).password_hash == other
    else:
        with pytest.raises(BadCredentials):
            authentication.authenticate(Actor(), "ann", PASSWORD)


def test_account_is_its_owners_and_an_admins_to_see(ann: Actor, root: Actor) -> None:
    assert users.get(ann, ann.id).username == "ann"
    assert users.get(root, ann.id).username == "ann"


def test_stranger_sees_no_difference_between_an_account_and_none(ann: Actor, bob: Actor) -> None:
    for user_id in (ann.id, "00000000-0000-7000-8000-000000000000"):
        with pytest.raises(NotFound, match=r"^There is no such user\.$"):
            users.get(bob, user_id)


def test_username_is_found_without_case_by_anyone(ann: Actor) -> None:
    assert users.by_username("ANN").id == ann.id
    with pytest.raises(NotFound):
        users.by_username("nobody")


def test_own_username_is_changed_without_a_password(ann: Actor) -> None:
    assert accounts.update_self(ann, {"username": "anna"}).username == "anna"


def test_case_of_the_own_username_is_changed(ann: Actor) -> None:
    assert accounts.update_self(ann, {"username": "Ann"}).username == "Ann"


@pytest.mark.parametrize("changes", [{"email": "new@example.com"}, {"password": NEW_PASSWORD}])
@pytest.mark.parametrize("given", [None, "", "wrong"])
def test_email_and_password_need_the_current_password(
    ann: Actor, changes: dict[str, Any], given: str | None
) -> None:
    with pytest.raises(Invalid) as caught:
        accounts.update_self(ann, changes, given)
    assert list(caught.value.fields) == ["current_password"]


def test_changed_email_is_unverified_again(ann: Actor) -> None:
    set_values(User, ann.id, email_verified=True)
    user = accounts.update_self(ann, {"email": "new@example.com"}, PASSWORD)
    assert (user.email, user.email_verified) == ("new@example.com", False)


def test_changed_email_voids_links_that_went_to_the_old_one(ann: Actor) -> None:
    secret = password_reset.make_link(SYSTEM, users.get(ann, ann.id))
    accounts.update_self(ann, {"email": "new@example.com"}, PASSWORD)
    assert not password_reset.is_live(secret)


def test_new_password_signs_in_and_the_old_one_does_not(ann: Actor) -> None:
    accounts.update_self(ann, {"password": NEW_PASSWORD}, PASSWORD)
    assert authentication.authenticate(Actor(), "ann", NEW_PASSWORD).id == ann.id
    with pytest.raises(BadCredentials):
        authentication.authenticate(Actor(), "ann", PASSWORD)


def test_new_password_may_not_be_the_new_username(ann: Actor) -> None:
    with pytest.raises(Invalid) as caught:
        accounts.update_self(ann, {"password": "Plumtree", "username": "plumtree"}, PASSWORD)
    assert list(caught.value.fields) == ["password"]


def test_new_password_ends_every_credential_but_the_one_in_use(ann: Actor) -> None:
    kept = bearer_tokens.identify(token_pairs.sign_in(Actor(), "ann", PASSWORD).access_token)
    token_pairs.sign_in(Actor(), "ann", PASSWORD)
    start_session("ann")
    accounts.update_self(kept, {"password": NEW_PASSWORD}, PASSWORD)
    assert {row.family_id for row in rows(Token)} == {kept.family_id}
    assert rows(Session) == []


def test_stale_version_changes_no_account(ann: Actor) -> None:
    accounts.update_self(ann, {"username": "anna"}, expect=[1])
    with pytest.raises(PreconditionFailed):
        accounts.update_self(ann, {"username": "annie"}, expect=[1])
    assert rows(User)[0].username == "anna"


def test_change_to_what_it_was_keeps_the_version(ann: Actor) -> None:
    assert accounts.update_self(ann, {"username": "ann"}).version == 1


def test_taken_username_is_a_conflict_for_a_change_too(ann: Actor, bob: Actor) -> None:
    with pytest.raises(Conflict) as caught:
        accounts.update_self(ann, {"username": "BOB"})
    assert list(caught.value.fields) == ["username"]


def test_own_role_is_not_changed_by_oneself(ann: Actor) -> None:
    accounts.update_self(ann, {"role": "admin", "is_active": False, "username": "anna"})
    user = rows(User)[0]
    assert (user.role, user.is_active, user.username) == ("user", True, "anna")


def test_change_by_a_password_that_was_changed_meanwhile_is_refused(
    ann: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    confirm = authentication.confirm

    def overtaken(actor: Actor, password: str) -> User:
        proof = confirm(actor, password)
        set_values(User, ann.id, password_hash=passwords.hash_(NEW_PASSWORD))
        return proof

    monkeypatch.setattr(authentication, "confirm", overtaken)
    with pytest.raises(PreconditionFailed):
        accounts.update_self(ann, {"email": "new@example.com"}, PASSWORD)
    assert rows(User)[0].email == "ann@example.com"


def test_account_is_held_only_as_it_was_proved(ann: Actor) -> None:
    proved = users.get(ann, ann.id)
    set_values(User, ann.id, password_hash=passwords.hash_(NEW_PASSWORD))
    with pytest.raises(BadCredentials):
        page_sessions.start(Actor(), proved, remember=False, user_agent="")
    assert rows(Session) == []


def test_closed_registration_is_forbidden() -> None:
    registration.require_open(True)
    with pytest.raises(Forbidden):
        registration.require_open(False)


def test_emptiness_is_noticed() -> None:
    assert users.is_empty()
    register(email=email_of("ann"))
    assert not users.is_empty()


def test_refusal_costs_the_same_with_and_without_an_account(
    ann: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ASVS 5.0, 6.3.8: the same number of hashes and the same statements."""
    done: list[str] = []

    class Hasher(PasswordHasher):
        def verify(self, *args: Any) -> Any:
            done.append("hash")
            return super().verify(*args)

    def refused(identifier: str) -> list[str]:
        done.clear()
        with pytest.raises(BadCredentials):
            authentication.authenticate(Actor(address="192.0.2.1"), identifier, "no plums")
        return list(done)

    cheap = Hasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords.Hashing, "hasher", cheap)
    for name in ("execute", "defer"):
        monkeypatch.setattr(Connection, name, spied(getattr(Connection, name), done))
    refused("nobody")  # the dummy hash is computed once
    known, unknown = refused("ann"), refused("nobody")
    assert known == unknown
    assert (known.count("hash"), len(known) > 5) == (1, True)
