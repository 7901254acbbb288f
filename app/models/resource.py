"""A resource: a table, and what the rest of the app knows of it.

RESOURCE stands beside each model, and app/models/registry.py lists them all. It is data: scopes,
webhooks, the audit trail, the account export, the purge and the navigation are made from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Literal

from sqlalchemy import ColumnElement
from sqlalchemy.orm import InstrumentedAttribute

from app.models.base import Base, table_of

Column = InstrumentedAttribute[Any]
NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Purge:
    """The rule by which `flask purge` deletes rows: `kept` after the moment in `column`."""

    label: str  # of the deleted rows in the log: "tasks in the trash"
    column: Column
    kept: timedelta = timedelta(0)
    action: str = ""  # the audit action of each deleted row; "" records nothing


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A table and its declarations. Those without a default must be made; None says none.

    `events` and `scopes` map names to their meanings: "a task is created", "read tasks".
    """

    name: str
    model: type[Base]
    export: Literal[True] | str  # in the account export; else the reason why the export omits it
    events: Mapping[str, str] | None  # of webhooks
    admin: str | None  # the endpoint of the admin page
    home: str = ""  # the endpoint of the page that the navigation links to
    scopes: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    title: Column | None = None  # the name of a row in the audit trail
    person: tuple[Column, ...] = ()  # keys to the users of a row, the owner first
    parent: Column | None = None  # the key to the resource whose persons see a row
    live: ColumnElement[bool] | None = None  # the rows outside the trash
    withheld: frozenset[str] = frozenset()  # columns that the account export omits
    purge: Purge | None = None
    actions: tuple[str, ...] = ()  # of the audit trail: "task.created"
    target: str = ""  # the target type of the actions; "" is the name
    # Members of an event's changes that hold text or personal data of users. They are erased with
    # the target, or with the account of the actor if the words are `personal`.
    words: tuple[str, ...] = ()
    personal: bool = False
    # Columns that webhooks get with their value at the time of sending. Neither the outbox nor the
    # audit trail keeps that value.
    fresh: tuple[str, ...] = ()

    @property
    def plural(self) -> str:
        """Return the name of the table, which is that of the list in the account export."""
        return str(table_of(self.model).name)

    def persons_by(self, ondelete: str) -> list[Any]:
        """Return the columns of `person` that end so with their user: "CASCADE", "SET NULL"."""
        columns = [table_of(self.model).c[person.key] for person in self.person]
        return [
            column
            for column in columns
            if any(key.ondelete == ondelete for key in column.foreign_keys)
        ]

    @property
    def is_exported(self) -> bool:
        return self.export is True

    @property
    def target_type(self) -> str:
        return self.target or self.name
