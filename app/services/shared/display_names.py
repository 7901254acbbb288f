"""The names of ids in lists: one read for a whole page."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Table, select

from app.models import USERS, AuditEvent
from app.models.base import table_of
from app.models.registry import RESOURCES
from app.services.shared.actor import Actor
from app.sql import Statement

# By target type: the table, and the column with the name of a row.
_TITLES = {
    each.name: (table_of(each.model), each.title) for each in RESOURCES if each.title is not None
}
_PERSONS = {person.key for each in RESOURCES for person in each.person}


def of_users(actor: Actor, ids: Iterable[str | None]) -> dict[str, str]:
    """Return the usernames by id, without deleted accounts, for any signed-in user."""
    assert actor.id, "a stranger sees no list of people"
    return _read(USERS, USERS.c.username, ids)


def in_events(actor: Actor, events: Iterable[AuditEvent]) -> dict[str, str]:
    """Return the names of all users in the events, and of the targets of resources with a title.

    Raises Forbidden, FactorRequired unless the actor is an admin.
    """
    actor.require_admin()
    ids: dict[str, set[str | None]] = {name: set() for name in _TITLES}
    for event in events:
        ids["user"].add(event.actor_id)
        for name in event.changes.keys() & _PERSONS:
            ids["user"].update(event.changes[name])
        if event.target_type in ids:
            ids[event.target_type].add(event.target_id)
    found: dict[str, str] = {}
    for name, (table, title) in _TITLES.items():
        found.update(_read(table, title, ids[name]))
    return found


def _read(table: Table, name: ColumnElement[str], ids: Iterable[str | None]) -> dict[str, str]:
    wanted = sorted({row_id for row_id in ids if row_id})
    if not wanted:
        return {}
    query = select(table.c.id, name.label("name")).where(table.c.id.in_(wanted))
    return {row.id: row.name for row in Statement[Any](query).all()}
