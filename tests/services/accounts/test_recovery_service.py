"""Links that set a password: each works once, before its expiry, for the unchanged account."""

import pytest

from app.errors import Invalid, InvalidToken, VoidLink
from app.models import OneTimeLink
from app.models.one_time_link import LIFE
from app.services.access import bearer_tokens, token_pairs
from app.services.accounts import accounts, password_reset
from app.services.authentication import authentication
from app.services.shared.actor import SYSTEM, Actor
from app.services.users import users
from tests.conftest import PASSWORD
from tests.support.rows import age

pytestmark = pytest.mark.usefixtures("ctx")
NEW_PASSWORD = "eleven apples in a bowl"


def link(actor: Actor) -> str:
    return password_reset.make_link(SYSTEM, users.get(SYSTEM, actor.id))


def test_reset_link_sets_a_password_once_and_ends_everything(ann: Actor) -> None:
    pair = token_pairs.sign_in(Actor(), "ann", PASSWORD)
    secret = link(ann)
    assert password_reset.is_live(secret)
    password_reset.follow(Actor(), secret, NEW_PASSWORD)
    assert authentication.authenticate(Actor(), "ann", NEW_PASSWORD).id == ann.id
    for token in (pair.access_token, pair.refresh_token):
        with pytest.raises(InvalidToken):
            bearer_tokens.identify(token)
    with pytest.raises(VoidLink):
        password_reset.follow(Actor(), secret, NEW_PASSWORD)


def test_bad_password_leaves_the_reset_link_as_it_was(ann: Actor) -> None:
    secret = link(ann)
    with pytest.raises(Invalid):
        password_reset.follow(Actor(), secret, "ann")
    assert password_reset.is_live(secret)


def test_reset_link_lives_an_hour(ann: Actor) -> None:
    secret = link(ann)
    age(OneTimeLink, "expires_at", LIFE["reset"])
    assert not password_reset.is_live(secret)
    with pytest.raises(VoidLink):
        password_reset.follow(Actor(), secret, NEW_PASSWORD)


def test_newest_three_reset_links_work(ann: Actor) -> None:
    made = [link(ann) for _ in range(4)]
    assert [password_reset.is_live(secret) for secret in made] == [False, True, True, True]


def test_changed_password_voids_the_reset_link(ann: Actor) -> None:
    secret = link(ann)
    accounts.update_self(ann, {"password": NEW_PASSWORD}, PASSWORD)
    assert not password_reset.is_live(secret)


@pytest.mark.parametrize("kind", ["access", "refresh"])
def test_other_tokens_are_no_recovery(ann: Actor, kind: str) -> None:
    pair = token_pairs.sign_in(Actor(), "ann", PASSWORD)
    secret: str = getattr(pair, f"{kind}_token")
    assert not password_reset.is_live(secret)
    with pytest.raises(VoidLink):
        password_reset.follow(Actor(), secret, NEW_PASSWORD)


def test_reset_link_opens_nothing_else(ann: Actor) -> None:
    secret = link(ann)
    with pytest.raises(InvalidToken):
        bearer_tokens.identify(secret)
