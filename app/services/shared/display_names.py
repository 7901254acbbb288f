"""The names of ids in lists: one read for a whole page."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Table, select

from app.models import TASKS, USERS, AuditEvent
from app.services.shared.actor import Actor
from app.sql import Statement


def of_users(actor: Actor, ids: Iterable[str | None]) -> dict[str, str]:
    """Return the usernames by id, without deleted accounts, for any signed-in user."""
    assert actor.id, "a stranger sees no list of people"
    return _read(USERS, USERS.c.username, ids)


def of_tasks(actor: Actor, ids: Iterable[str | None]) -> dict[str, str]:
    """Return the titles by id, those in the trash too. Raises Forbidden, FactorRequired."""
    actor.require_admin()
    return _read(TASKS, TASKS.c.title, ids)


def in_events(actor: Actor, events: Iterable[AuditEvent]) -> dict[str, str]:
    """Return the names of all users and tasks in the events."""
    people: set[str | None] = set()
    jobs: set[str | None] = set()
    for event in events:
        people |= {event.actor_id, *event.changes.get("assignee_id", ())}
        (jobs if event.target_type == "task" else people).add(event.target_id)
    return of_users(actor, people) | of_tasks(actor, jobs)


def _read(table: Table, name: ColumnElement[str], ids: Iterable[str | None]) -> dict[str, str]:
    wanted = sorted({row_id for row_id in ids if row_id})
    if not wanted:
        return {}
    query = select(table.c.id, name.label("name")).where(table.c.id.in_(wanted))
    return {row.id: row.name for row in Statement[Any](query).all()}
