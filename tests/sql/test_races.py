"""Concurrent calls on separate connections: one succeeds, the others get a known error."""

from functools import partial
from itertools import product
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete

from app.errors import (
    AppError,
    BadCredentials,
    Conflict,
    Invalid,
    InvalidGrant,
    InvalidToken,
    NotFound,
    PreconditionFailed,
    TooManyRequests,
)
from app.extensions import db
from app.models import Session, Task, Token, User
from app.services.access import bearer_tokens, token_pairs
from app.services.accounts import accounts
from app.services.shared.actor import SYSTEM, Actor
from app.services.tasks import tasks
from app.services.users import registration, users
from tests.conftest import PASSWORD, MakeApp, MakePerson
from tests.support.page_sessions import start_session
from tests.support.races import Call, race, split
from tests.support.rows import actions, rows

WRITERS = 50
NEW_PASSWORDS = [f"{number} apples in a bowl" for number in range(10)]


@pytest.fixture
def wide_app(other_app: MakeApp) -> Flask:
    """An app with an open connection for each writer."""
    app = other_app(DATABASE_POOL_SIZE=str(WRITERS))
    race(app, [users.is_empty] * WRITERS)
    return app


@pytest.mark.parametrize(
    "variants",
    [
        [("ann", "ann@example.com")],
        [("ann", "ann@example.com"), ("ANN", "ANN@example.com"), ("Ann", "Ann@EXAMPLE.com")],
        [("ann", f"{number}@example.com") for number in range(20)],
        [(f"ann{number}", "ann@example.com") for number in range(20)],
    ],
    ids=["same", "case", "username", "email"],
)
def test_of_twenty_registrations_one_succeeds(
    wide_app: Flask, variants: list[tuple[str, str]]
) -> None:
    names = (variants * 20)[:20]
    calls = [partial(registration.register, Actor(), *name, PASSWORD) for name in names]
    won, lost = split(race(wide_app, calls), Conflict)
    assert (len(won), len(lost)) == (1, 19)
    with wide_app.app_context():
        assert len(rows(User)) == 1
        assert actions() == ["user.created"]


@pytest.mark.parametrize("attempt", range(3))
def test_of_twenty_uses_of_a_refresh_token_at_once_every_pair_lives(
    wide_app: Flask, ann: Actor, attempt: int
) -> None:
    with wide_app.app_context():
        old = token_pairs.sign_in(Actor(), "ann", PASSWORD)
    calls: list[Call] = [lambda: token_pairs.refresh(Actor(), old.refresh_token)] * 20
    pairs = race(wide_app, calls)
    with wide_app.app_context():
        families = {bearer_tokens.identify(pair.access_token).family_id for pair in pairs}
        assert families == {bearer_tokens.identify(old.access_token).family_id}
        for pair in pairs:
            assert token_pairs.refresh(Actor(), pair.refresh_token).token_type == "Bearer"


def demote(actor: Actor, target: Actor) -> None:
    accounts.update(actor, target.id, {"role": "user"})


def deactivate(actor: Actor, target: Actor) -> None:
    accounts.update(actor, target.id, {"is_active": False})


def remove(actor: Actor, target: Actor) -> None:
    accounts.delete(actor, target.id)


def active_admins() -> int:
    return len(rows(User, role="admin", is_active=True))


WAYS = (demote, deactivate, remove)


@pytest.mark.parametrize(
    ("first", "second"), list(product(WAYS, WAYS)), ids=lambda way: str(way.__name__)
)
def test_two_admins_who_remove_each_other_leave_one(
    wide_app: Flask, make_person: MakePerson, first: Any, second: Any
) -> None:
    for number in range(4):
        with wide_app.app_context(), db.engine.begin() as connection:
            connection.execute(delete(User))
        one, two = make_person(f"one{number}", "admin"), make_person(f"two{number}", "admin")
        calls = [partial(first, one, two), partial(second, two, one)]
        won, lost = split(race(wide_app, calls), Conflict)
        assert (len(won), len(lost)) == (1, 1)
        with wide_app.app_context():
            assert active_admins() == 1


def test_admins_who_all_leave_at_once_leave_one(wide_app: Flask, make_person: MakePerson) -> None:
    admins = [make_person(f"admin{number}", "admin") for number in range(6)]
    calls = [partial(WAYS[number % 3], admin, admin) for number, admin in enumerate(admins)]
    won, lost = split(race(wide_app, calls), Conflict)
    assert (len(won), len(lost)) == (5, 1)
    with wide_app.app_context():
        assert active_admins() == 1


def test_of_fifty_writers_of_one_version_of_a_task_one_gets_through(
    wide_app: Flask, ann: Actor
) -> None:
    with wide_app.app_context():
        task = tasks.create(ann, {"title": "x"})
    calls = [
        partial(tasks.update, ann, task.id, {"title": f"of {number}"}, expect=[1])
        for number in range(WRITERS)
    ]
    (written,), lost = split(race(wide_app, calls), PreconditionFailed)
    assert len(lost) == WRITERS - 1
    with wide_app.app_context():
        assert tasks.get(ann, task.id) == written
        assert actions().count("task.updated") == 1


def test_of_fifty_writers_of_one_version_of_an_account_one_gets_through(
    wide_app: Flask, ann: Actor
) -> None:
    calls = [
        partial(accounts.update_self, ann, {"username": f"ann{number}"}, expect=[1])
        for number in range(WRITERS)
    ]
    (written,), lost = split(race(wide_app, calls), PreconditionFailed)
    assert len(lost) == WRITERS - 1
    with wide_app.app_context():
        assert users.get(ann, ann.id).username == written.username


@pytest.mark.parametrize("attempt", range(5))
def test_writers_of_different_fields_lose_none(wide_app: Flask, ann: Actor, attempt: int) -> None:
    changes: list[dict[str, Any]] = [
        {"title": "new"},
        {"description": "new"},
        {"status": "done"},
        {"priority": "high"},
        {"labels": ["new"]},
    ]
    with wide_app.app_context():
        task = tasks.create(ann, {"title": "old"})
    calls = [partial(tasks.update, ann, task.id, change) for change in changes]
    split(race(wide_app, calls))
    with wide_app.app_context():
        now_ = tasks.get(ann, task.id)
    for change in changes:
        for name, value in change.items():
            assert getattr(now_, name) == value
    assert now_.version == 1 + len(changes)


def test_name_and_role_that_are_changed_at_once_both_stay(
    wide_app: Flask, ann: Actor, root: Actor
) -> None:
    calls: list[Call] = [
        lambda: accounts.update_self(ann, {"username": "anna"}),
        lambda: accounts.update(root, ann.id, {"role": "admin"}),
    ]
    split(race(wide_app, calls))
    with wide_app.app_context():
        user = users.get(SYSTEM, ann.id)
        assert (user.username, user.role, user.version) == ("anna", "admin", 3)


@pytest.mark.parametrize("attempt", range(4))
def test_account_that_is_deleted_while_it_works_leaves_no_orphan(
    wide_app: Flask, ann: Actor, bob: Actor, attempt: int
) -> None:
    with wide_app.app_context():
        pair = token_pairs.sign_in(Actor(), "ann", PASSWORD)
        own = tasks.create(ann, {"title": "own"})
        given = tasks.create(bob, {"title": "given", "assignee_id": ann.id})
    deeds: list[Call] = [
        lambda: tasks.create(ann, {"title": "x"}),
        lambda: tasks.create(bob, {"title": "x", "assignee_id": ann.id}),
        lambda: tasks.update(ann, own.id, {"title": "y"}),
        lambda: tasks.update(ann, given.id, {"title": "y"}),
        lambda: token_pairs.sign_in(Actor(), "ann", PASSWORD),
        lambda: token_pairs.refresh(Actor(), pair.refresh_token),
        lambda: accounts.update_self(ann, {"username": "anna"}),
    ]
    calls = [*(deeds * 3), lambda: accounts.delete(ann, ann.id)]
    results = race(wide_app, calls)
    assert results[-1] is None
    known = (Conflict, NotFound, Invalid, InvalidGrant, InvalidToken, BadCredentials)
    assert all(isinstance(r, known) for r in results if isinstance(r, AppError)), results
    with wide_app.app_context():
        assert {task.owner_id for task in rows(Task)} == {bob.id}
        assert {task.assignee_id for task in rows(Task)} == {None}
        assert rows(Token) == []


@pytest.mark.parametrize("attempt", range(5))
def test_assignee_who_is_taken_off_writes_before_or_not_at_all(
    wide_app: Flask, ann: Actor, bob: Actor, attempt: int
) -> None:
    with wide_app.app_context():
        task = tasks.create(ann, {"title": "old", "assignee_id": bob.id})
    calls: list[Call] = [
        lambda: tasks.update(ann, task.id, {"assignee_id": None}),
        lambda: tasks.update(bob, task.id, {"title": "of Bob"}),
    ]
    off, written = race(wide_app, calls)
    if isinstance(written, NotFound):
        assert (off.version, off.title) == (2, "old")
    else:
        assert (written.version, off.version, off.title) == (2, 3, "of Bob")


@pytest.mark.parametrize("attempt", range(3))
def test_task_that_many_delete_is_deleted_once(wide_app: Flask, ann: Actor, attempt: int) -> None:
    with wide_app.app_context():
        task = tasks.create(ann, {"title": "x"})
    won, lost = split(race(wide_app, [lambda: tasks.delete(ann, task.id)] * 10), NotFound)
    assert (len(won), len(lost)) == (1, 9)
    with wide_app.app_context():
        assert actions().count("task.deleted") == 1


@pytest.mark.parametrize("attempt", range(3))
def test_what_starts_while_the_account_is_closed_does_not_outlive_it(
    wide_app: Flask, ann: Actor, root: Actor, attempt: int
) -> None:
    calls: list[Call] = [
        *[lambda: start_session("ann")] * 4,
        *[lambda: token_pairs.sign_in(Actor(), "ann", PASSWORD)] * 4,
        lambda: accounts.update(root, ann.id, {"is_active": False}),
    ]
    split(race(wide_app, calls), BadCredentials)
    with wide_app.app_context():
        assert (rows(Token), rows(Session)) == ([], [])


def test_of_twenty_four_sign_ups_of_one_network_at_once_twenty_succeed(wide_app: Flask) -> None:
    here = Actor(address="198.51.100.7")
    calls: list[Call] = [
        partial(registration.register, here, f"ann{number}", f"{number}@example.com", PASSWORD)
        for number in range(24)
    ]
    won, lost = split(race(wide_app, calls), TooManyRequests)
    assert (len(won), len(lost)) == (20, 4)


@pytest.mark.parametrize("attempt", range(3))
def test_nobody_stays_by_the_old_password(wide_app: Flask, ann: Actor, attempt: int) -> None:
    change = {"password": NEW_PASSWORDS[0]}
    calls: list[Call] = [
        *[lambda: start_session("ann")] * 4,
        *[lambda: token_pairs.sign_in(Actor(), "ann", PASSWORD)] * 4,
        lambda: accounts.update_self(ann, change, PASSWORD),
    ]
    split(race(wide_app, calls), BadCredentials)
    with wide_app.app_context():
        assert (rows(Token), rows(Session)) == ([], [])
