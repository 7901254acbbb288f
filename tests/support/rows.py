"""Direct access to the tables, on a separate connection. Needs an app context."""

from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy import Row, insert, select, update

from app.extensions import db
from app.models import AuditEvent, Factor, User
from app.models.base import Base
from app.models.types import now, uuid7
from app.services.shared.actor import Actor


def rows(model: type[Base], **equals: Any) -> list[Row[Any]]:
    """Return all rows of the model's table with these values, by id."""
    table = model.__table__
    matching = [table.c[name] == value for name, value in equals.items()]
    with db.engine.connect() as connection:
        return list(connection.execute(select(table).where(*matching).order_by(table.c.id)))


def events(action: str | None = None) -> list[Row[Any]]:
    """Return the audit trail, the oldest event first."""
    found = rows(AuditEvent, **({"action": action} if action else {}))
    return sorted(found, key=lambda event: (event.created_at, event.id))


def actions() -> list[str]:
    return [event.action for event in events()]


def set_values(model: type[Base], row_id: str, **values: Any) -> None:
    table: Any = model.__table__
    with db.engine.begin() as connection:
        connection.execute(update(table).where(table.c.id == row_id).values(values))


def prove_address(app: Flask, actor: Actor) -> None:
    """Mark the actor's address as confirmed before any addition to the account."""
    with app.app_context():
        set_values(User, actor.id, email_verified=True)


def add_factor(user_id: str, kind: str = "totp") -> str:
    """Add a second factor to a user with an earlier sign-in without one. Return its id."""
    factor_id = uuid7()
    made = {"user_id": user_id, "kind": kind, "name": "x", "confirmed_at": now()}
    with db.engine.begin() as connection:
        connection.execute(insert(Factor).values(id=factor_id, **made))
    return factor_id


def age(model: type[Base], column: str, by: timedelta) -> None:
    """Move `column` of every row back by `by`, as if time had passed."""
    for row in rows(model):
        if getattr(row, column) is not None:
            set_values(model, row.id, **{column: getattr(row, column) - by})
