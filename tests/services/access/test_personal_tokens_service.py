"""Personal tokens: scopes and lifetime."""

from datetime import timedelta

import pytest

from app.errors import (
    Forbidden,
    Invalid,
    InvalidToken,
    NotFound,
    PreconditionFailed,
    ReauthenticationRequired,
)
from app.models import Token, User
from app.models.types import now
from app.services.access import bearer_tokens, page_sessions, personal_tokens, token_pairs
from app.services.accounts import accounts
from app.services.authentication import authentication
from app.services.shared.actor import SYSTEM, Actor
from app.services.shared.paging import PageRequest
from app.services.users import users
from tests.conftest import PASSWORD
from tests.support.page_sessions import start_session
from tests.support.rows import rows

pytestmark = pytest.mark.usefixtures("ctx")


def account(actor: Actor) -> User:
    return users.get(SYSTEM, actor.id)


def test_personal_token_holds_what_was_asked_for(ann: Actor) -> None:
    _, secret = personal_tokens.create(ann, account(ann), " CI ", ["tasks:write", "tasks:read"])
    actor = bearer_tokens.identify(secret)
    assert actor.scopes == {"tasks:read", "tasks:write"}
    assert actor.signed_in_at is None
    assert (rows(Token)[0].name, rows(Token)[0].scopes) == ("CI", "tasks:read tasks:write")


def test_personal_token_ends_itself_alone(ann: Actor) -> None:
    pair = token_pairs.sign_in(Actor(), "ann", PASSWORD)
    _, secret = personal_tokens.create(ann, account(ann), "CI", ["tasks:read"])
    token_pairs.logout(bearer_tokens.identify(secret))
    with pytest.raises(InvalidToken):
        bearer_tokens.identify(secret)
    assert bearer_tokens.identify(pair.access_token).id == ann.id


@pytest.mark.parametrize(
    ("field", "name", "scopes", "days"),
    [
        ("name", "", ["tasks:read"], 1),
        ("name", "  ", ["tasks:read"], 1),
        ("name", "x" * 101, ["tasks:read"], 1),
        ("scopes", "CI", [], 1),
        ("scopes", "CI", ["tasks:read", "everything"], 1),
        ("expires_at", "CI", ["tasks:read"], -1),
    ],
)
def test_bad_personal_token_is_refused(
    ann: Actor, field: str, name: str, scopes: list[str], days: int
) -> None:
    end = now() + timedelta(days=days)
    with pytest.raises(Invalid) as caught:
        personal_tokens.create(ann, account(ann), name, scopes, end)
    assert list(caught.value.fields) == [field]


def test_nobody_gives_a_scope_that_they_do_not_hold(ann: Actor, root: Actor) -> None:
    _, secret = personal_tokens.create(ann, account(ann), "CI", ["tasks:read"])
    with pytest.raises(Forbidden, match="tasks:write"):
        personal_tokens.create(bearer_tokens.identify(secret), account(ann), "x", ["tasks:write"])
    with pytest.raises(Forbidden, match="admin"):
        personal_tokens.create(root, account(ann), "x", ["admin"])


def test_admins_token_without_the_scope_is_no_admin(root: Actor) -> None:
    _, secret = personal_tokens.create(root, account(root), "CI", ["tasks:read"])
    assert not bearer_tokens.identify(secret).is_admin


def test_personal_token_is_never_a_recent_sign_in(ann: Actor) -> None:
    _, secret = personal_tokens.create(ann, account(ann), "CI", ["profile:write"])
    with pytest.raises(ReauthenticationRequired):
        authentication.require_recent(bearer_tokens.identify(secret))


def test_revoked_token_is_dead_at_once_and_the_other_lives(ann: Actor) -> None:
    gone, secret = personal_tokens.create(ann, account(ann), "a", ["tasks:read"])
    kept, _ = personal_tokens.create(ann, account(ann), "b", ["tasks:read"])
    personal_tokens.revoke(ann, gone.id)
    with pytest.raises(InvalidToken):
        bearer_tokens.identify(secret)
    assert [token.id for token in personal_tokens.page(ann, PageRequest(5)).items] == [kept.id]


def test_tokens_are_their_owners_alone_to_see_and_revoke(ann: Actor, bob: Actor) -> None:
    token, _ = personal_tokens.create(ann, account(ann), "a", ["tasks:read"])
    for deed in (personal_tokens.get, personal_tokens.revoke):
        with pytest.raises(NotFound):
            deed(bob, token.id)
    assert personal_tokens.page(bob, PageRequest(5)).items == []
    assert personal_tokens.get(ann, token.id).name == "a"


def test_tokens_from_signing_in_are_not_personal(ann: Actor) -> None:
    token_pairs.sign_in(Actor(), "ann", PASSWORD)
    assert personal_tokens.page(ann, PageRequest(5)).items == []
    with pytest.raises(NotFound):
        personal_tokens.revoke(ann, rows(Token)[0].id)


@pytest.mark.parametrize("by", ["token", "page"])
def test_ended_credential_makes_no_new_one(ann: Actor, by: str) -> None:
    """A thief may create a token while the owner changes the password."""
    if by == "token":
        thief = bearer_tokens.identify(token_pairs.sign_in(Actor(), "ann", PASSWORD).access_token)
    else:
        secret = start_session("ann")
        thief = page_sessions.load(secret) or Actor()
    accounts.update_self(ann, {"password": "eleven apples in a bowl"}, PASSWORD)
    with pytest.raises(InvalidToken):
        personal_tokens.create(thief, account(ann), "stays", ["tasks:read"])
    assert rows(Token) == []


def test_token_that_was_used_meanwhile_is_not_revoked_by_what_was_read(ann: Actor) -> None:
    token, secret = personal_tokens.create(ann, account(ann), "CI", ["tasks:read"])
    bearer_tokens.identify(secret)
    with pytest.raises(PreconditionFailed):
        personal_tokens.revoke(ann, token.id, {personal_tokens.version(token)})
    used = personal_tokens.get(ann, token.id)
    personal_tokens.revoke(ann, token.id, {personal_tokens.version(used)})
    assert rows(Token) == []
