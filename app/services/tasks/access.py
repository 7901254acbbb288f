"""The access to a task: its owner, its assignee and admins see it. `parameters` bind the actor.

Only the owner or an admin may delete the task and change its assignee, who must be active.
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, bindparam, or_, select

from app.errors import Forbidden, Invalid
from app.faults import Code, Fault
from app.models import USERS, Task, User
from app.services.shared.actor import Actor
from app.sql import ROW_KEY, Statement


def _owned_and_assigned(user_id: Any) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return Task.owner_id == user_id, Task.assignee_id == user_id


OWNED, ASSIGNED = _owned_and_assigned(bindparam("actor_id"))
SEEN = or_(OWNED, ASSIGNED, bindparam("everyone"))
# For the holder of the token, for HolderRecord.
SEEN_BY_HOLDER = or_(*_owned_and_assigned(User.id))
NOBODY = Fault(Code.NOT_FOUND, "There is no such user.")
_user_id = USERS.c.id
# FOR KEY SHARE: no assignee is deleted before the task is stored.
STAYS: dict[str, Any] = {"read": True, "key_share": True}
_person = Statement[User](
    select(_user_id).where(_user_id == ROW_KEY, User.is_active).with_for_update(**STAYS)
)


def parameters(actor: Actor) -> dict[str, Any]:
    return {"actor_id": actor.id, "everyone": actor.is_admin}


def owns(actor: Actor, task: Task) -> bool:
    """Return True if the actor may delete the task and change its assignee."""
    return actor.is_admin or task.owner_id == actor.id


def require_owner(actor: Actor, task: Task, act: str) -> None:
    """Raise Forbidden unless the actor is the owner or an admin."""
    if not owns(actor, task):
        raise Forbidden(f"Only the owner of a task may {act}.")


def assignable(user_ids: Collection[str]) -> set[str]:
    """Return the ids of active users, locked against deletion until the commit."""
    if not user_ids:
        return set()
    query = select(_user_id).where(_user_id.in_(user_ids), User.is_active).order_by(_user_id)
    return {user.id for user in Statement[User](query.with_for_update(**STAYS)).all()}


def require_assignee(user_id: str | None) -> None:
    """Raise Invalid unless the user is active; None is valid."""
    if user_id is not None and _person.one(key=user_id) is None:
        raise Invalid("One of the values is not valid.", {"assignee_id": NOBODY})
