"""The order of locks: an account before its tokens, so that ending the tokens never waits for long.

Two transactions with different orders deadlock until PostgreSQL cancels one after a second; many
such transactions wait for many seconds.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from typing import Any

import psycopg2
import pytest
from flask import Flask

from app.errors import Invalid, InvalidGrant, VoidLink
from app.faults import Fault
from app.services.access import page_sessions, personal_tokens, token_pairs
from app.services.accounts import password_reset
from app.services.shared.actor import SYSTEM, Actor
from app.services.tasks import tasks
from app.services.users import users
from tests.conftest import PASSWORD, MakePerson
from tests.support.databases import Database

NEW_PASSWORD = "eleven apples in a bowl"
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'"


@pytest.fixture
def app(postgresql_database: Database) -> Flask:
    """The app on PostgreSQL alone: SQLite has a single lock."""
    postgresql_database.empty()
    return postgresql_database.app


def refresh() -> Callable[[], Any]:
    pair = token_pairs.sign_in(Actor(), "ann", PASSWORD)
    return lambda: token_pairs.refresh(Actor(), pair.refresh_token)


def sign_in() -> Callable[[], Any]:
    refresh()
    return lambda: token_pairs.sign_in(Actor(), "ann", PASSWORD)


def start_session() -> Callable[[], Any]:
    refresh()
    user = users.by_username("ann")
    return lambda: page_sessions.start(Actor(), user, remember=False, user_agent="")


def use_link() -> Callable[[], Any]:
    secret = password_reset.make_link(SYSTEM, users.by_username("ann"))
    return lambda: password_reset.follow(Actor(), secret, NEW_PASSWORD)


def make_link() -> Callable[[], Any]:
    use_link()
    user = users.by_username("ann")
    return lambda: password_reset.make_link(SYSTEM, user)


def make_token() -> Callable[[], Any]:
    refresh()
    user = users.by_username("ann")
    return lambda: personal_tokens.create(SYSTEM, user, "x", ["tasks:read"])


@pytest.mark.parametrize(
    "prepare", [refresh, sign_in, start_session, use_link, make_link, make_token]
)
def test_tokens_are_free_for_the_holder_of_the_account(
    app: Flask, make_person: MakePerson, prepare: Callable[[], Callable[[], Any]]
) -> None:
    make_person("ann")
    with app.app_context():
        deed = prepare()
    url = app.config["SQLALCHEMY_DATABASE_URI"].replace("+psycopg2", "")
    with closing(psycopg2.connect(url)) as ending, ThreadPoolExecutor(1) as pool:
        run(ending, "SELECT FROM users WHERE username = 'ann' FOR UPDATE")
        waiting = pool.submit(within, app, deed)
        wait_for_lock(url)
        run(ending, "SET lock_timeout = '500ms'")
        run(ending, "DELETE FROM tokens")
        ending.commit()
        waiting.result()


def within(app: Flask, deed: Callable[[], Any]) -> None:
    """Run `deed`, which succeeds or finds its token or session ended."""
    with app.app_context(), suppress(InvalidGrant, VoidLink):
        deed()


def run(connection: Any, statement: str, *values: object) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchone()[0] if statement.startswith("SELECT c") else None


def wait_for_lock(url: str) -> None:
    """Return once a connection waits for a lock."""
    with closing(psycopg2.connect(url)) as watching:
        watching.autocommit = True
        name = watching.info.dbname
        for _ in range(500):
            if run(watching, WAITING, name):
                return
            time.sleep(0.01)
    raise AssertionError("nobody waits")


@pytest.mark.parametrize("new", [True, False])
def test_task_is_not_given_to_somebody_who_is_going(
    app: Flask, make_person: MakePerson, new: bool
) -> None:
    """The assignee counts as missing, because the deletion of the account was first."""
    ann, bob = make_person("ann"), make_person("bob")
    with app.app_context():
        task = tasks.create(ann, {"title": "x"})

    def give() -> dict[str, Fault]:
        changes = {"title": "x", "assignee_id": bob.id}
        with app.app_context(), pytest.raises(Invalid) as caught:
            tasks.create(ann, changes) if new else tasks.update(ann, task.id, changes)
        return caught.value.fields

    url = app.config["SQLALCHEMY_DATABASE_URI"].replace("+psycopg2", "")
    with closing(psycopg2.connect(url)) as removing, ThreadPoolExecutor(1) as pool:
        run(removing, "DELETE FROM users WHERE id = %s", bob.id)
        waiting = pool.submit(give)
        wait_for_lock(url)
        removing.commit()
        assert waiting.result() == {"assignee_id": "There is no such user."}
