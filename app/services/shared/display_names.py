"""What ids are called, for lists that show them. One read for a whole page."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Table, select

from app.models import TASKS, USERS, AuditEvent
from app.services.shared.actor import Actor
from app.sql import Statement


def of_users(actor: Actor, ids: Iterable[str | None]) -> dict[str, str]:
    """The usernames by id, for anyone signed in; an account that is gone has none."""
    assert actor.id, "a stranger sees no list of people"
    return _read(USERS, USERS.c.username, ids)


def of_tasks(actor: Actor, ids: Iterable[str | None]) -> dict[str, str]:
    """The titles by id, of those in the trash too, for an admin."""
    actor.require_admin()
    return _read(TASKS, TASKS.c.title, ids)


def in_events(actor: Actor, events: Iterable[AuditEvent]) -> dict[str, str]:
    """What the people and tasks that the events speak of are called."""
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
