"""The audit trail: an event for each action in its transaction, never changed, without secrets."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.errors import AppError, Forbidden
from app.extensions import db
from app.models import AUDIT_EVENTS, AuditEvent, Session, Task, Token, User
from app.models.token import REFRESH_GRACE
from app.models.types import now, uuid7
from app.services.access import bearer_tokens, page_sessions, personal_tokens, token_pairs
from app.services.accounts import accounts, email_confirmation, invitations, password_reset
from app.services.authentication import authentication
from app.services.shared import audit
from app.services.shared.actor import SYSTEM, Actor
from app.services.shared.paging import PageRequest
from app.services.tasks import tasks
from app.services.users import registration, users
from tests.conftest import PASSWORD
from tests.support.mailbox import Mailbox
from tests.support.page_sessions import start_session
from tests.support.rows import age, events, rows

pytestmark = pytest.mark.usefixtures("ctx")
NEW_PASSWORD = "eleven apples in a bowl"
SECRETS = (PASSWORD, NEW_PASSWORD, "$argon2", "fst_")
ORIGIN = Actor(address="192.0.2.7", request_id="origin")


class Deeds:
    """The users' actions, named as in the audit trail. Each returns the target's id."""

    def __init__(self, ann: Actor, root: Actor) -> None:
        self.ann, self.root = ann, root
        self.task = tasks.create(ann, {"title": "old"}).id
        self.guest = invitations.invite(SYSTEM, "guest@example.com", "guest").id

    def account(self) -> User:
        return users.get(SYSTEM, self.ann.id)

    def user_created(self) -> str:
        return registration.register(ORIGIN, "carl", "carl@example.com", PASSWORD).id

    def user_updated(self) -> str:
        return accounts.update_self(self.ann, {"username": "anna"}).id

    def user_password_changed(self) -> str:
        return accounts.update_self(self.ann, {"password": NEW_PASSWORD}, PASSWORD).id

    def user_reset_requested(self) -> str:
        password_reset.make_link(SYSTEM, self.account())
        return self.ann.id

    def user_confirmation_requested(self) -> str:
        email_confirmation.ask(self.ann)
        return self.ann.id

    def user_invited(self) -> str:
        return invitations.invite_again(self.root, self.guest).id

    def user_deleted(self) -> str:
        accounts.delete(self.root, self.ann.id)
        return self.ann.id

    def session_created(self) -> str:
        token_pairs.sign_in(ORIGIN, "ann", PASSWORD)
        return self.ann.id

    def session_refused(self) -> str:
        with pytest.raises(AppError):
            authentication.authenticate(ORIGIN, "ann", NEW_PASSWORD)
        return self.ann.id

    def session_ended(self) -> str:
        token_pairs.logout(self.ann)
        return self.ann.id

    def token_created(self) -> str:
        return personal_tokens.create(SYSTEM, self.account(), "CI", ["tasks:read"])[0].id

    def task_created(self) -> str:
        return tasks.create(self.ann, {"title": "new"}).id

    def task_updated(self) -> str:
        return tasks.update(self.ann, self.task, {"title": "new"}).id

    def task_deleted(self) -> str:
        tasks.delete(self.ann, self.task)
        return self.task

    def admin_denied(self) -> None:
        audit.denied(self.ann, "/admin/")


ACTIONS = [name.replace("_", ".", 1) for name in vars(Deeds) if "_" in name and name[0] != "_"]
CHANGING = [name for name in ACTIONS if name not in ("session.refused", "admin.denied")]


@pytest.fixture
def deeds(mailbox: Mailbox, ann: Actor, root: Actor) -> Deeds:
    return Deeds(ann, root)


def do(deeds: Deeds, action: str) -> str | None:
    deed: Callable[[], str | None] = getattr(deeds, action.replace(".", "_"))
    return deed()


def everything() -> list[Any]:
    return [rows(model) for model in (AuditEvent, User, Task, Token, Session)]


@pytest.mark.parametrize("action", ACTIONS)
def test_deed_is_told_once_with_its_target_and_no_secret(deeds: Deeds, action: str) -> None:
    before = len(events())
    target = do(deeds, action)
    (event,) = events()[before:]
    assert (event.action, event.target_id) == (action, target)
    assert not [secret for secret in SECRETS if secret in str(event)]


@pytest.mark.parametrize("action", CHANGING)
def test_deed_whose_event_cannot_be_written_is_not_done(
    deeds: Deeds, action: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = everything()

    def fail(**_values: object) -> int:
        raise RuntimeError("no event")

    monkeypatch.setattr(audit._insert, "defer", fail)
    with pytest.raises(RuntimeError, match="no event"):
        do(deeds, action)
    assert everything() == before


def test_restoring_and_ending_a_page_session_are_told(ann: Actor) -> None:
    task = tasks.create(ann, {"title": "x"})
    tasks.delete(ann, task.id)
    tasks.restore(ann, task.id)
    secret = start_session("ann", origin=ORIGIN)
    actor = page_sessions.load(secret)
    assert actor is not None
    page_sessions.end(actor)
    told = [event.action for event in events()][-3:]
    assert told == ["task.restored", "session.created", "session.ended"]


def test_stolen_refresh_token_is_told(ann: Actor) -> None:
    pair = token_pairs.sign_in(ORIGIN, "ann", PASSWORD)
    token_pairs.refresh(ORIGIN, pair.refresh_token)
    age(Token, "spent_at", REFRESH_GRACE)
    with pytest.raises(AppError):
        token_pairs.refresh(ORIGIN, pair.refresh_token)
    assert [event.target_id for event in events("token.reused")] == [ann.id]


def test_password_set_by_a_link_is_told_of_its_owner(ann: Actor) -> None:
    secret = password_reset.make_link(SYSTEM, users.get(SYSTEM, ann.id))
    password_reset.follow(ORIGIN, secret, NEW_PASSWORD)
    (event,) = events("user.password_changed")
    assert (event.actor_id, event.address, event.changes) == (ann.id, "192.0.2.7", {})


def test_event_says_who_did_it_with_which_token_from_where(ann: Actor) -> None:
    pair = token_pairs.sign_in(ORIGIN, "ann", PASSWORD)
    actor = bearer_tokens.identify(pair.access_token, "192.0.2.9", "some-request")
    tasks.create(actor, {"title": "x"})
    (event,) = events("task.created")
    assert (event.actor_id, event.token_id) == (ann.id, actor.token_id)
    assert (event.address, event.request_id) == ("192.0.2.9", "some-request")
    assert now() - event.created_at < timedelta(minutes=1)


def test_event_holds_old_and_new_values(ann: Actor) -> None:
    due = now()
    task = tasks.create(ann, {"title": "old", "labels": ["a"]})
    tasks.update(ann, task.id, {"title": "new", "labels": [], "due_at": due})
    (event,) = events("task.updated")
    assert event.changes["title"] == ["old", "new"]
    assert event.changes["labels"] == [["a"], []]
    assert event.changes["due_at"] == [None, due.isoformat().replace("+00:00", "Z")]


def test_change_that_changes_nothing_is_not_told(ann: Actor) -> None:
    task = tasks.create(ann, {"title": "x"})
    before = len(events())
    tasks.update(ann, task.id, {"title": "x"})
    accounts.update_self(ann, {"username": "ann"})
    assert len(events()) == before


def test_refused_change_is_not_told(ann: Actor, bob: Actor) -> None:
    task = tasks.create(ann, {"title": "x"})
    before = len(events())
    for deed in (
        lambda: tasks.update(bob, task.id, {"title": "y"}),
        lambda: accounts.update_self(ann, {"username": "bob"}),
        lambda: registration.register(Actor(), "ann", "new@example.com", PASSWORD),
    ):
        with pytest.raises(AppError):
            deed()
    assert len(events()) == before


def test_secret_field_is_never_written(ann: Actor) -> None:
    with pytest.raises(AssertionError):
        audit.record(ann, "user.updated", ann.id, {"password": ["old", "new"]})


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_events SET action = 'x'", "DELETE FROM audit_events"]
)
def test_trail_is_append_only(ann: Actor, statement: str) -> None:
    before = events()
    with (
        pytest.raises(DBAPIError, match="append-only"),
        db.engine.begin() as connection,
    ):
        connection.execute(text(statement))
    assert events() == before


def test_trail_outlives_the_account(ann: Actor) -> None:
    before = len(events())
    accounts.delete(ann, ann.id)
    assert len(events()) == before + 1


def test_trail_is_for_admins(ann: Actor) -> None:
    with pytest.raises(Forbidden):
        audit.page(ann)


def test_trail_is_filtered(ann: Actor, bob: Actor, root: Actor) -> None:
    task = tasks.create(ann, {"title": "x"})
    tasks.create(bob, {"title": "y"})

    def found(**filters: Any) -> list[str | None]:
        return [event.target_id for event in audit.page(root, **filters).items]

    assert found(action="task.created", actor_id=ann.id) == [task.id]
    assert found(target_id=task.id, target_type="task") == [task.id]
    assert found(action="no.such") == []


def test_trail_is_cut_from_since_up_to_until(root: Actor) -> None:
    start = now() - timedelta(minutes=1)
    moments = [start + timedelta(seconds=second) for second in range(3)]
    with db.engine.begin() as connection:
        for moment in moments:
            connection.execute(
                AUDIT_EVENTS.insert().values(
                    id=uuid7(),
                    action="x",
                    target_type="x",
                    changes={},
                    address="",
                    request_id="",
                    created_at=moment,
                )
            )
    page = audit.page(root, PageRequest(count=True), action="x", since=moments[1], until=moments[2])
    assert [event.created_at for event in page.items] == [moments[1]]
    assert page.total == 1


def test_trail_pages_through_every_event_once(root: Actor, app: Flask) -> None:
    for _ in range(5):
        audit.denied(root, "/admin/")
    seen, after = [], None
    while True:
        page = audit.page(root, PageRequest(2, after))
        seen += [event.id for event in page.items]
        if (after := page.last) is None:
            break
    assert seen == [event.id for event in reversed(events())]
