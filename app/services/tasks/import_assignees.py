"""The assignees of an imported file, looked up among the active users of this database."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import func, select

from app.models import USERS, User
from app.models.types import canonical_id
from app.services.tasks import access
from app.sql import Statement

NAME_MAX = 80  # characters of a name that a warning repeats
Values = dict[str, Any]


class Assignees:
    """The assignees of a file: by `assignee_id` if active here, else by the username `assignee`.

    Each user is looked up once for the whole file, and locked until the commit.
    """

    def __init__(self) -> None:
        self._ids: dict[str, str | None] = {}  # the id of the file -> the id here
        self._names: dict[str, str | None] = {}

    def load(self, rows: Iterable[Values]) -> None:
        """Look up the assignees of `rows` that are not known yet, in at most two statements."""
        rows = list(rows)
        ids = {_id_of(row) for row in rows} - self._ids.keys() - {""}
        names = {_name_of(row) for row in rows} - self._names.keys() - {""}
        active = access.assignable(ids)
        self._ids.update({user_id: user_id if user_id in active else None for user_id in ids})
        self._names.update(dict.fromkeys(names) | _by_name(names))

    def resolve(self, row: Values) -> tuple[Values, str]:
        """Return `row` with its assignee's id here or None, and the field at fault or ""."""
        values = {name: row[name] for name in row if name != "assignee"}
        if not (row.get("assignee_id") or row.get("assignee")):
            return values, ""
        user_id = self._ids.get(_id_of(row)) or self._names.get(_name_of(row))
        at_fault = "assignee_id" if row.get("assignee_id") else "assignee"
        return {**values, "assignee_id": user_id}, "" if user_id else at_fault


def why_left_out(row: Values) -> str:
    name = row.get("assignee") or row["assignee_id"]
    return f'There is no active user "{name[:NAME_MAX]}" here: the task has no assignee.'


def _id_of(row: Values) -> str:
    return canonical_id((row.get("assignee_id") or "").strip()) or ""


def _name_of(row: Values) -> str:
    name: str = row.get("assignee") or ""
    return name.strip().lower()


def _by_name(names: set[str]) -> dict[str, str]:
    if not names:
        return {}
    name = func.lower(User.username)
    columns = (USERS.c.id, name.label("name"))
    query = select(*columns).where(name.in_(sorted(names)), User.is_active)
    query = query.order_by(USERS.c.id).with_for_update(**access.STAYS)
    return {user.name: user.id for user in Statement[Any](query).all()}
