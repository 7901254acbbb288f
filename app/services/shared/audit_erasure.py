"""The erasure of deleted data from the audit trail. Action, actor id and time of an event stay.

A trigger allows erasing an event's network address and members of `changes`, and refuses any other
change (migrations/versions/20261130082854_trail_that_loses_words.py).
"""

from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select, update

from app.models import AUDIT_EVENTS, AuditEvent
from app.models.base import table_of
from app.models.registry import RESOURCES, words_of
from app.models.resource import Resource
from app.sql import ROW_KEY, Statement
from app.sql.json_members import Without

# Resources whose words end with the target, and resources whose words end with their actor.
WITH_TARGET = [each for each in RESOURCES if words_of(each.name) and not each.personal]
PERSONAL = [each for each in RESOURCES if words_of(each.name) and each.personal]
BY_NOBODY = and_(AuditEvent.actor_id.is_(None), AuditEvent.target_type == "user")


def erase_records(user_id: str) -> None:
    """Erase the words of the records that go with the account. Call it before they are deleted."""
    for statement in _records:
        statement.run(key=user_id)


def erase_account(user_id: str) -> None:
    """Erase the names, email addresses and network addresses of an account, but not its id."""
    for statement in _account:
        statement.run(key=user_id)


def erase_words(kind: str, ids: Collection[str]) -> None:
    """Erase the words of the targets of this kind with these ids."""
    if ids:
        Statement[Any](without_words(kind, AuditEvent.target_id.in_(ids))).run()


def without_words(kind: str, *conditions: ColumnElement[bool]) -> Any:
    return without(words_of(kind), AuditEvent.target_type == kind, *conditions)


def without(names: tuple[str, ...], *conditions: ColumnElement[bool]) -> Any:
    shorter, same = Without(AUDIT_EVENTS.c.changes, names), Without(AUDIT_EVENTS.c.changes, ())
    return update(AuditEvent).where(*conditions, shorter != same).values(changes=shorter)


def without_address(*conditions: ColumnElement[bool]) -> Any:
    return update(AuditEvent).where(*conditions, AuditEvent.address != "").values(address="")


def _erasures_of_records() -> Iterator[Any]:
    for each in WITH_TARGET:
        if ids := _owned(each):
            yield without_words(each.name, or_(*(AuditEvent.target_id.in_(one) for one in ids)))


def _owned(resource: Resource) -> list[Select[Any]]:
    """Return queries for the ids of the records that are deleted with their user."""
    ids = select(table_of(resource.model).c.id)
    return [ids.where(owner == ROW_KEY) for owner in resource.persons_by("CASCADE")]


def _erasures_of_account() -> Iterator[Any]:
    by_them, to_them = AuditEvent.actor_id == ROW_KEY, AuditEvent.target_id == ROW_KEY
    yield without_address(by_them)
    yield without_address(to_them, BY_NOBODY)
    yield without_words("user", to_them)
    for each in PERSONAL:
        yield without_words(each.name, by_them)


_records = [Statement[Any](erasure) for erasure in _erasures_of_records()]
_account = [Statement[Any](erasure) for erasure in _erasures_of_account()]
