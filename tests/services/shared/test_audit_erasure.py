"""A deletion erases the target's words from the audit trail, but no event."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import insert, text, update
from sqlalchemy.exc import DBAPIError

from app.errors import BadCredentials
from app.extensions import db
from app.models import AUDIT_EVENTS, AuditEvent, OutboxEntry, Task, User
from app.models.types import now, uuid7
from app.services.access import personal_tokens, token_pairs
from app.services.accounts import accounts
from app.services.authentication import authentication
from app.services.operations import purge
from app.services.outbox import outbox
from app.services.shared import audit
from app.services.shared.actor import SYSTEM, Actor
from app.services.tasks import comments, tasks
from app.services.users import users
from app.services.webhooks import webhooks
from tests.conftest import PASSWORD
from tests.support.rows import age, events, rows

pytestmark = pytest.mark.usefixtures("ctx")
TABLE: Any = AUDIT_EVENTS
HERS = Actor(address="192.0.2.77", request_id="origin")
WORDS = "words-of-ann"


def store(**values: Any) -> str:
    """Store an event like an earlier release, and return its id."""
    event = {
        "id": uuid7(),
        "action": "task.updated",
        "target_type": "task",
        "target_id": uuid7(),
        "changes": {},
        "address": "192.0.2.77",
        "request_id": "r",
        "created_at": now(),
        **values,
    }
    with db.engine.begin() as connection:
        connection.execute(insert(TABLE).values(**event))
    return str(event["id"])


def change(event_id: str, **values: Any) -> None:
    with db.engine.begin() as connection:
        connection.execute(update(TABLE).where(TABLE.c.id == event_id).values(**values))


def event(event_id: str) -> Any:
    return rows(AuditEvent, id=event_id)[0]


def trail() -> str:
    return "\n".join(map(str, events()))


OTHERS: dict[str, Any] = {
    "id": uuid7(),
    "actor_id": None,
    "token_id": uuid7(),
    "action": "x",
    "target_type": "user",
    "target_id": None,
    "request_id": "",
    "created_at": now(),
    "address": "192.0.2.78",
}


@pytest.mark.parametrize("column", [column.key for column in TABLE.c if column.key != "changes"])
def test_no_column_of_an_event_can_be_changed(column: str) -> None:
    event_id = store(actor_id=uuid7())
    before = event(event_id)
    with pytest.raises(DBAPIError, match="append-only"):
        change(event_id, **{column: OTHERS[column]})
    assert event(event_id) == before


@pytest.mark.parametrize(
    "changes",
    [
        {"status": ["done", "todo"]},
        {"status": ["todo", "done"], "title": ["a", "c"]},
        {"status": ["todo", "done"], "other": ["x", "y"]},
        {"title": "a"},
        {"title": ["b", "a"]},
        {"status": None},
        [],
        None,
    ],
)
def test_no_value_of_an_event_can_be_changed(changes: Any) -> None:
    event_id = store(changes={"status": ["todo", "done"], "title": ["a", "b"]})
    before = event(event_id)
    with pytest.raises(DBAPIError):
        change(event_id, changes=changes)
    assert event(event_id) == before


@pytest.mark.parametrize(
    "values",
    [
        {"address": ""},
        {"changes": {}},
        {"changes": {"status": ["todo", "done"]}},
        {"address": "", "changes": {"title": ["a", None]}},
    ],
)
def test_event_can_lose_its_address_and_its_words(values: dict[str, Any]) -> None:
    event_id = store(changes={"status": ["todo", "done"], "title": ["a", None]})
    before = event(event_id)
    change(event_id, **values)
    assert event(event_id)._asdict() == {**before._asdict(), **values}


def test_event_is_deleted_only_before_the_end_that_the_trail_itself_tells() -> None:
    old, young = store(created_at=now() - timedelta(days=3)), store()
    delete = text("DELETE FROM audit_events WHERE id = :id")

    def remove(event_id: str) -> None:
        with db.engine.begin() as connection:
            connection.execute(delete, {"id": event_id})

    with pytest.raises(DBAPIError, match="append-only"):
        remove(old)
    audit.end_before(now() - timedelta(days=1))
    remove(old)
    for kept in (young, events("audit.purged")[0].id):
        with pytest.raises(DBAPIError, match="append-only"):
            remove(kept)


def deeds_of(ann: Actor, root: Actor) -> None:
    """Record Ann's name, addresses and words in the trail."""
    with pytest.raises(BadCredentials):
        authentication.authenticate(HERS, "ann", "wrong password")
    token_pairs.sign_in(HERS, "ann", PASSWORD)
    accounts.update_self(ann, {"username": "anna"})
    accounts.update_self(ann, {"email": "anna@example.com"}, PASSWORD)
    personal_tokens.create(ann, users.get(SYSTEM, ann.id), "token of anna", ["tasks:read"])
    webhooks.create(ann, url=f"https://1.1.1.1/{WORDS}", events=["task.created"])
    task = tasks.create(ann, {"title": WORDS, "labels": [WORDS]})
    tasks.update(ann, task.id, {"description": WORDS})
    comments.create(ann, task.id, WORDS)
    accounts.update(root, ann.id, {"username": "annie", "is_active": True})
    audit.denied(ann, "/admin/")


@pytest.mark.parametrize("by", ["ann", "root"])
def test_deleted_account_leaves_nothing_but_its_id(ann: Actor, root: Actor, by: str) -> None:
    ann = replace(ann, address=HERS.address)
    deeds_of(ann, root)
    number = len(events())
    accounts.delete(ann if by == "ann" else root, ann.id)
    found = trail()
    for word in ("ann'", "anna", "annie", "example.com", HERS.address, WORDS):
        assert word not in found.replace("root@example.com", "").replace("bob@example.com", "")
    assert ann.id in found
    assert len(events()) == number + 1


def test_deleted_account_takes_nothing_of_others_along(ann: Actor, bob: Actor, root: Actor) -> None:
    task = tasks.create(bob, {"title": "of bob", "assignee_id": ann.id})
    tasks.update(ann, task.id, {"title": "changed by ann"})
    before = [one for one in events() if one.actor_id not in (ann.id, None)]
    accounts.delete(root, ann.id)
    assert [one for one in events() if one in before] == before
    (updated, _unassigned) = events("task.updated")
    assert updated.changes == {"title": ["of bob", "changed by ann"]}
    assert updated.address == ""
    assert events("user.deleted")[0].address == root.address


def test_task_that_is_purged_takes_its_words_along(ann: Actor, bob: Actor) -> None:
    task = tasks.create(ann, {"title": WORDS, "description": WORDS, "labels": [WORDS]})
    tasks.update(ann, task.id, {"title": f"{WORDS}!", "status": "done"})
    kept = tasks.create(ann, {"title": "kept"})
    tasks.delete(ann, task.id)
    age(Task, "deleted_at", timedelta(days=31))
    purge.purge()
    assert WORDS not in trail()
    assert events("task.updated")[0].changes == {"status": ["todo", "done"]}
    assert [one.changes for one in events("task.created") if one.target_id == kept.id] == [
        {"title": [None, "kept"]}
    ]


def body_of_a_comment() -> str:
    return store(action="comment.updated", changes={"comment_id": ["c", "c"], "body": ["a", WORDS]})


def name_of_a_deleted_account() -> str:
    return store(
        action="user.deleted",
        target_type="user",
        changes={"username": [WORDS, None], "role": ["user", None]},
    )


def title_of_a_purged_task() -> str:
    return store(changes={"title": ["a", WORDS], "status": ["todo", "done"]})


def token_of_a_deleted_account() -> str:
    return store(action="token.created", target_type="token", actor_id=uuid7(),
                 changes={"name": [None, WORDS]})  # fmt: skip


EARLIER: list[Callable[[], str]] = [
    body_of_a_comment,
    name_of_a_deleted_account,
    title_of_a_purged_task,
    token_of_a_deleted_account,
]


@pytest.mark.parametrize("earlier", EARLIER)
def test_words_that_an_earlier_release_stored_are_purged(
    earlier: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.services.shared.audit_cleaning.BATCH", 2)
    ids = [earlier() for _ in range(5)]
    purge.purge()
    assert WORDS not in trail()
    assert {event(event_id).request_id for event_id in ids} == {"r"}


def test_old_events_are_looked_through_once_and_young_ones_each_time() -> None:
    purge.purge()
    old = store(action="comment.created", changes={"body": [None, WORDS]},
                created_at=now() - timedelta(days=9))  # fmt: skip
    young = store(action="comment.created", changes={"body": [None, WORDS]})
    purge.purge()
    assert (event(old).changes, event(young).changes) == ({"body": [None, WORDS]}, {})
    assert len(events("audit.cleaned")) == 1


def test_words_of_comments_in_kept_payloads_are_purged() -> None:
    payload: dict[str, Any] = {"type": "comment.created", "data": {"id": "c", "body": WORDS}}
    task: dict[str, Any] = {"type": "task.created", "data": {"title": "kept", "body": "kept"}}
    for kept in (payload, task):
        outbox.add("webhook", kept["type"], kept)
    purge.purge()
    found = {row.name: row.payload["data"] for row in rows(OutboxEntry)}
    assert found == {"comment.created": {"id": "c"}, "task.created": task["data"]}


def test_addresses_that_an_earlier_release_stored_are_purged(ann: Actor) -> None:
    gone, unknown = store(actor_id=uuid7()), store(actor_id=None, target_type="user")
    hers, nobodys = store(actor_id=ann.id), store(actor_id=None, target_id=None)
    purge.purge()
    assert [event(one).address for one in (gone, unknown)] == ["", ""]
    assert [event(one).address for one in (hers, nobodys)] == ["192.0.2.77"] * 2


def test_account_that_is_there_keeps_its_words(ann: Actor) -> None:
    tasks.create(ann, {"title": "kept"})
    before = events()
    purge.purge()
    assert [one for one in events() if one.action != "audit.cleaned"] == before


def keep(app: Flask, monkeypatch: pytest.MonkeyPatch, days: int) -> None:
    settings = app.extensions["settings"]
    monkeypatch.setitem(app.extensions, "settings", replace(settings, audit_keep_days=days))


def test_trail_ends_where_the_setting_says(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(app, monkeypatch, 30)
    old, young = (store(created_at=now() - timedelta(days=days)) for days in (32, 29))
    assert purge.purge()["audit events"] == 1
    assert (rows(AuditEvent, id=old), len(rows(AuditEvent, id=young))) == ([], 1)
    (told,) = events("audit.purged")
    assert told.actor_id is None
    assert purge.purge()["audit events"] == 0
    assert len(events("audit.purged")) == 1


def test_trail_is_kept_for_ever_by_default(app: Flask) -> None:
    assert app.config["AUDIT_KEEP_DAYS"] == 0
    store(created_at=now() - timedelta(days=9_999))
    assert purge.purge()["audit events"] == 0
    assert events("audit.purged") == []


def test_long_trail_ends_in_batches(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(app, monkeypatch, 1)
    old = now() - timedelta(days=9)
    event_ = {"action": "x", "target_type": "x", "changes": {}, "address": "", "request_id": ""}
    with db.engine.begin() as connection:
        made = [{**event_, "id": uuid7(), "created_at": old} for _ in range(4_100)]
        connection.execute(insert(TABLE), made)
    assert purge.purge()["audit events"] == 4_100


def test_user_who_stays_is_found_by_nothing_else(ann: Actor, root: Actor) -> None:
    """The id of a deleted account still finds its actions."""
    tasks.create(ann, {"title": "x"})
    accounts.delete(root, ann.id)
    found = audit.page(root, actor_id=ann.id).items
    assert "task.created" in [one.action for one in found]
    assert rows(User, id=ann.id) == []
