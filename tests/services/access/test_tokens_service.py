"""Bearer tokens: their rights and their end."""

from datetime import timedelta

import pytest

from app.errors import (
    BadCredentials,
    InvalidGrant,
    InvalidToken,
    ReauthenticationRequired,
)
from app.models import Token, User
from app.models.token import ACCESS_LIFE, REFRESH_GRACE, REFRESH_LIFE
from app.services.access import bearer_tokens, token_pairs
from app.services.access.token_pairs import Pair
from app.services.accounts import accounts
from app.services.authentication import authentication, secret_tokens
from app.services.shared.actor import SYSTEM, Actor
from app.services.users import users
from tests.conftest import PASSWORD
from tests.support.rows import age, events, rows

NEW_PASSWORD = "eleven apples in a bowl"
USER_SCOPES = "tasks:read tasks:write profile:read profile:write"
pytestmark = pytest.mark.usefixtures("ctx")


def sign_in(actor: Actor) -> Pair:
    return token_pairs.sign_in(Actor(), actor.username, PASSWORD)


def account(actor: Actor) -> User:
    return users.get(SYSTEM, actor.id)


def spend(pair: Pair) -> Pair:
    return token_pairs.refresh(Actor(), pair.refresh_token)


def assert_dead(pair: Pair) -> None:
    with pytest.raises(InvalidToken):
        bearer_tokens.identify(pair.access_token)
    with pytest.raises(InvalidGrant):
        spend(pair)


def test_signing_in_gives_all_scopes_of_the_role(ann: Actor, root: Actor) -> None:
    assert sign_in(ann).scope == USER_SCOPES
    assert sign_in(root).scope == f"{USER_SCOPES} admin"


def test_access_token_says_who_holds_it(ann: Actor) -> None:
    actor = bearer_tokens.identify(sign_in(ann).access_token, "192.0.2.7", "some-id")
    assert (actor.id, actor.username, actor.role) == (ann.id, "ann", "user")
    assert (actor.address, actor.request_id) == ("192.0.2.7", "some-id")
    assert actor.scopes == frozenset(USER_SCOPES.split())


def test_wrong_password_gives_no_token(ann: Actor) -> None:
    with pytest.raises(BadCredentials):
        token_pairs.sign_in(Actor(), "ann", "wrong")
    assert rows(Token) == []


def test_tokens_are_stored_as_hashes_alone(ann: Actor) -> None:
    pair = sign_in(ann)
    stored = " ".join(str(value) for row in rows(Token) for value in row)
    assert pair.access_token not in stored
    assert secret_tokens.digest(pair.access_token) in stored
    assert {row.prefix for row in rows(Token)} == {
        pair.access_token[: secret_tokens.SHOWN],
        pair.refresh_token[: secret_tokens.SHOWN],
    }


@pytest.mark.parametrize("token", ["", "x", "fst_", "fst_" + "0" * 49, "\u0660" * 53, "a" * 9999])
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(InvalidToken):
        bearer_tokens.identify(token)


def test_wellformed_token_of_nobody_is_refused(ann: Actor) -> None:
    sign_in(ann)
    with pytest.raises(InvalidToken):
        bearer_tokens.identify(secret_tokens.make())


def test_refresh_token_opens_nothing(ann: Actor) -> None:
    with pytest.raises(InvalidToken):
        bearer_tokens.identify(sign_in(ann).refresh_token)


def test_access_token_refreshes_nothing(ann: Actor) -> None:
    with pytest.raises(InvalidGrant):
        token_pairs.refresh(Actor(), sign_in(ann).access_token)


def test_access_token_lives_an_hour(ann: Actor) -> None:
    pair = sign_in(ann)
    age(Token, "expires_at", ACCESS_LIFE - timedelta(seconds=30))
    assert bearer_tokens.identify(pair.access_token).id == ann.id
    age(Token, "expires_at", timedelta(seconds=31))
    with pytest.raises(InvalidToken):
        bearer_tokens.identify(pair.access_token)


def test_refresh_token_lives_thirty_days(ann: Actor) -> None:
    pair = sign_in(ann)
    age(Token, "expires_at", REFRESH_LIFE)
    with pytest.raises(InvalidGrant):
        spend(pair)


def test_token_of_a_deactivated_account_is_dead_at_once(ann: Actor, root: Actor) -> None:
    pair = sign_in(ann)
    accounts.update(root, ann.id, {"is_active": False})
    assert_dead(pair)


def test_token_loses_the_admin_scope_with_the_role(ann: Actor, root: Actor) -> None:
    accounts.update(root, ann.id, {"role": "admin"})
    pair = sign_in(ann)
    accounts.update(root, ann.id, {"role": "user"})
    actor = bearer_tokens.identify(pair.access_token)
    assert not actor.is_admin
    assert "admin" not in actor.scopes


def test_refreshing_gives_a_new_pair_of_the_same_family(ann: Actor) -> None:
    old = sign_in(ann)
    new = spend(old)
    before, after = (
        bearer_tokens.identify(old.access_token),
        bearer_tokens.identify(new.access_token),
    )
    assert (after.family_id, after.scopes) == (before.family_id, before.scopes)
    assert after.signed_in_at == before.signed_in_at
    assert {old.access_token, old.refresh_token}.isdisjoint({new.access_token, new.refresh_token})


def test_spent_token_used_late_ends_the_family(ann: Actor) -> None:
    old = sign_in(ann)
    new = spend(old)
    age(Token, "spent_at", REFRESH_GRACE)
    with pytest.raises(InvalidGrant):
        spend(old)
    assert_dead(new)
    assert [event.target_id for event in events("token.reused")] == [ann.id]


def test_theft_in_one_family_leaves_the_other_alone(ann: Actor) -> None:
    other = sign_in(ann)
    old = sign_in(ann)
    spend(old)
    age(Token, "spent_at", REFRESH_GRACE)
    with pytest.raises(InvalidGrant):
        spend(old)
    assert bearer_tokens.identify(other.access_token).id == ann.id


def test_logout_ends_the_family_and_no_other(ann: Actor) -> None:
    first, second = sign_in(ann), sign_in(ann)
    successor = spend(first)
    token_pairs.logout(bearer_tokens.identify(successor.access_token))
    assert_dead(first)
    assert_dead(successor)
    assert bearer_tokens.identify(second.access_token).id == ann.id


def test_sign_in_is_recent_for_a_quarter_of_an_hour(ann: Actor) -> None:
    pair = sign_in(ann)
    authentication.require_recent(bearer_tokens.identify(pair.access_token))
    age(Token, "signed_in_at", timedelta(minutes=16))
    with pytest.raises(ReauthenticationRequired):
        authentication.require_recent(bearer_tokens.identify(pair.access_token))
    with pytest.raises(ReauthenticationRequired):
        authentication.require_recent(bearer_tokens.identify(spend(pair).access_token))
