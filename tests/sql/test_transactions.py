"""The guarantees of a transaction after a conflict with another one or a failed statement."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import bindparam, update

from app import sql
from app.errors import InvalidToken
from app.models import TASKS, Task
from app.models.types import UTCDateTime, now
from app.services.access import active_sessions, bearer_tokens, token_pairs
from app.services.accounts import accounts
from app.services.operations import purge
from app.services.shared.actor import Actor
from app.services.shared.paging import PageRequest
from app.services.tasks import history as task_events, importing as task_import, tasks
from app.sql import ROW_KEY, LostRace, Statement, UniqueViolation, atomic
from tests.conftest import PASSWORD


def within(app: Flask, use_case: Callable[[], object]) -> None:
    with app.app_context():
        use_case()


_age = Statement[Task](
    update(Task)
    .where(TASKS.c.id == ROW_KEY)
    .values(deleted_at=bindparam("at", type_=UTCDateTime()))
)


def test_an_import_that_lost_a_race_is_made_whole(
    ctx: None, ann: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    store = task_import._store

    def lose_once(actor: Actor, batch: list[dict[str, Any]], *more: Any) -> None:
        made.append(batch[0]["title"])
        if made == ["one", "two"]:
            raise LostRace("of the test")
        store(actor, batch, *more)

    monkeypatch.setattr(task_import, "_store", lose_once)
    monkeypatch.setattr(task_import, "BATCH", 1)
    rows = iter([task_import.Row(2, {"title": "one"}), task_import.Row(3, {"title": "two"})])
    assert task_import.import_tasks(ann, rows).created == 2
    assert tasks.page(ann, PageRequest(count=True)).total == 2


def test_what_failed_is_not_taken_for_stored(ctx: None, ann: Actor) -> None:
    if sql.request_connection().dialect.name == "sqlite":
        pytest.skip("SQLite goes on after a failed statement")

    @atomic
    def insert_else_go_on() -> None:
        with pytest.raises(UniqueViolation):
            sql.request_connection().execute(
                "INSERT INTO users SELECT * FROM users WHERE id = %(id)s", {"id": ann.id}
            )

    with pytest.raises(RuntimeError, match="nothing of it was stored"):
        insert_else_go_on()


@pytest.mark.parametrize("end", [token_pairs.logout, active_sessions.end_others])
def test_pair_that_is_just_being_refreshed_ends_too(
    app: Flask, ann: Actor, end: Callable[[Actor], None]
) -> None:
    """The refresh holds its transaction open while another transaction ends the pair."""
    with app.app_context():
        pair = token_pairs.sign_in(Actor(), ann.username, PASSWORD)
        actor = bearer_tokens.identify(pair.access_token) if end is token_pairs.logout else ann
        ending = threading.Thread(target=lambda: within(app, lambda: end(actor)))

        @atomic
        def refresh_slowly() -> token_pairs.Pair:
            fresh = token_pairs.refresh(Actor(), pair.refresh_token)
            ending.start()
            ending.join(timeout=0.3)
            return fresh

        fresh = refresh_slowly()
        ending.join()
        with pytest.raises(InvalidToken):
            bearer_tokens.identify(fresh.access_token)


def test_a_task_that_is_restored_while_the_trash_is_emptied_stays(app: Flask, ann: Actor) -> None:
    with app.app_context():
        task = tasks.create(ann, {"title": "Back again"})
        tasks.delete(ann, task.id)
        _age.run(key=task.id, at=now() - timedelta(days=31))
        emptying = threading.Thread(target=lambda: within(app, purge.purge))

        @atomic
        def restore_slowly() -> None:
            tasks.restore(ann, task.id)
            emptying.start()
            emptying.join(timeout=0.3)

        restore_slowly()
        emptying.join()
        assert tasks.get(ann, task.id).title == "Back again"


def test_tasks_that_lose_their_assignee_tell_it(ctx: None, ann: Actor, bob: Actor) -> None:
    task = tasks.create(ann, {"title": "For Bob", "assignee_id": bob.id})
    accounts.delete(bob, bob.id)
    assert task_events.history(ann, task.id)[0].changes == {"assignee_id": [bob.id, None]}
