"""Page sessions: their lifetime, and their immediate end."""

from datetime import timedelta

import pytest

from app.errors import BadCredentials
from app.models import Session
from app.models.session import ABSOLUTE, IDLE, REMEMBERED_ABSOLUTE, REMEMBERED_IDLE
from app.models.types import now
from app.services.access import page_sessions
from app.services.accounts import accounts
from app.services.authentication import secret_tokens
from app.services.shared.actor import Actor
from tests.support.page_sessions import start_session
from tests.support.rows import age, rows

pytestmark = pytest.mark.usefixtures("ctx")
MOMENT = timedelta(seconds=30)


def sign_in(actor: Actor, *, remember: bool = False, user_agent: str = "") -> str:
    return start_session(
        actor.username,
        origin=Actor(address="192.0.2.7"),
        remember=remember,
        user_agent=user_agent,
    )


def test_session_says_who_is_signed_in(root: Actor) -> None:
    actor = page_sessions.load(sign_in(root), Actor(address="192.0.2.9", request_id="some-id"))
    assert actor is not None
    assert (actor.id, actor.username, actor.is_admin) == (root.id, "root", True)
    assert (actor.address, actor.request_id, actor.token_id) == ("192.0.2.9", "some-id", None)


def test_wrong_password_starts_no_session(ann: Actor) -> None:
    with pytest.raises(BadCredentials):
        start_session("ann", "wrong")
    assert rows(Session) == []


def test_session_notes_the_device_and_keeps_a_hash_alone(ann: Actor) -> None:
    secret = sign_in(ann, user_agent="Browser/1 " + "x" * 300)
    (row,) = rows(Session)
    assert (row.address, len(row.user_agent)) == ("192.0.2.7", 255)
    assert row.hash == secret_tokens.digest(secret)


@pytest.mark.parametrize("secret", ["", "x", "fst_" + "0" * 49])
def test_unknown_secret_is_nobody(ann: Actor, secret: str) -> None:
    sign_in(ann)
    assert page_sessions.load(secret) is None


def test_signing_in_twice_gives_two_sessions(ann: Actor) -> None:
    assert sign_in(ann) != sign_in(ann)
    assert len(rows(Session)) == 2


@pytest.mark.parametrize(
    ("remember", "idle"), [(False, IDLE), (True, REMEMBERED_IDLE)], ids=["plain", "remembered"]
)
def test_unused_session_ends(ann: Actor, remember: bool, idle: timedelta) -> None:
    kept, lost = sign_in(ann, remember=remember), sign_in(ann, remember=remember)
    age(Session, "last_seen_at", idle - MOMENT)
    assert page_sessions.load(kept) is not None
    age(Session, "last_seen_at", MOMENT * 2)
    assert page_sessions.load(lost) is None
    assert page_sessions.load(kept) is not None


@pytest.mark.parametrize(
    ("remember", "life"),
    [(False, ABSOLUTE), (True, REMEMBERED_ABSOLUTE)],
    ids=["plain", "remembered"],
)
def test_session_in_use_ends_at_its_last_moment(
    ann: Actor, remember: bool, life: timedelta
) -> None:
    secret = sign_in(ann, remember=remember)
    age(Session, "expires_at", life - MOMENT)
    assert page_sessions.load(secret) is not None
    age(Session, "expires_at", MOMENT)
    assert page_sessions.load(secret) is None


def test_use_is_noted_every_five_minutes(ann: Actor) -> None:
    secret = sign_in(ann)
    before = rows(Session)[0].last_seen_at
    page_sessions.load(secret)
    assert rows(Session)[0].last_seen_at == before
    age(Session, "last_seen_at", page_sessions.SEEN_EVERY + MOMENT)
    page_sessions.load(secret)
    assert now() - rows(Session)[0].last_seen_at < MOMENT


def test_ended_session_is_dead_at_once_and_the_other_lives(ann: Actor) -> None:
    first, second = sign_in(ann), sign_in(ann)
    actor = page_sessions.load(first)
    assert actor is not None
    page_sessions.end(actor)
    assert page_sessions.load(first) is None
    assert page_sessions.load(second) is not None


def test_deactivated_account_has_no_session(ann: Actor, root: Actor) -> None:
    secret = sign_in(ann)
    accounts.update(root, ann.id, {"is_active": False})
    assert page_sessions.load(secret) is None


def test_lost_role_shows_in_the_session_at_once(ann: Actor, root: Actor) -> None:
    accounts.update(root, ann.id, {"role": "admin"})
    secret = sign_in(ann)
    accounts.update(root, ann.id, {"role": "user"})
    actor = page_sessions.load(secret)
    assert actor is not None
    assert not actor.is_admin
