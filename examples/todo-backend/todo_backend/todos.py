"""Todos: each user has a list, and strangers share one."""

from typing import Any

from sqlalchemy import bindparam, delete as delete_, func, insert, select, update as update_

from app.errors import Conflict
from app.models.types import Id, now, uuid7
from app.services.shared.actor import Actor
from app.services.shared.existence import require_found
from app.sql import ROW_KEY, Statement, atomic
from todo_backend.models import TODOS, TODOS_MAX, Todo

_own = Todo.owner_id.is_not_distinct_from(bindparam("list_owner", type_=Id))
_one = (_own, TODOS.c.id == ROW_KEY)
_all = Statement[Todo](
    select(*TODOS.c).where(_own).order_by(Todo.position.nulls_last(), Todo.created_at, Todo.id)
)
_count = Statement[Any](select(func.count().label("size")).select_from(TODOS).where(_own))
_get = Statement[Todo](select(*TODOS.c).where(*_one))
_lock = Statement[Todo](select(*TODOS.c).where(*_one).with_for_update())
_insert = Statement[Todo](insert(TODOS).returning(*TODOS.c))
_update = Statement[Todo](
    update_(Todo)
    .where(TODOS.c.id == ROW_KEY)
    .values(
        title=bindparam("new_title"),
        completed=bindparam("new_completed"),
        position=bindparam("new_position"),
    )
    .returning(*TODOS.c)
)
_delete = Statement[Todo](delete_(Todo).where(*_one))
_delete_all = Statement[Todo](delete_(Todo).where(_own))


def list_all(actor: Actor) -> list[Todo]:
    """Return the actor's todos by their order, those without one last."""
    return _all.all(list_owner=_owner(actor))


def get(actor: Actor, todo_id: str) -> Todo:
    """Return a todo of the actor's list. Raises NotFound."""
    return require_found(_get.one(key=todo_id, list_owner=_owner(actor)), "todo")


@atomic
def create(actor: Actor, values: dict[str, Any]) -> Todo:
    """Create a todo. Raises Conflict if the list is full."""
    if _count.scalar(list_owner=_owner(actor)) >= TODOS_MAX:
        raise Conflict(f"The list is full: it has {TODOS_MAX} todos.")
    blank = {"completed": False, "position": None}
    row = {**blank, **values, "id": uuid7(), "owner_id": _owner(actor), "created_at": now()}
    return require_found(_insert.one(**row), "todo")


@atomic
def update(actor: Actor, todo_id: str, changes: dict[str, Any]) -> Todo:
    """Change the values that `changes` names. Raises NotFound."""
    todo = require_found(_lock.one(key=todo_id, list_owner=_owner(actor)), "todo")
    values = {"title": todo.title, "completed": todo.completed, "position": todo.position}
    changed = {f"new_{name}": value for name, value in {**values, **changes}.items()}
    return require_found(_update.one(key=todo.id, **changed), "todo")


def delete(actor: Actor, todo_id: str) -> None:
    """Delete a todo of the actor's list. Raises NotFound."""
    require_found(_delete.run(key=todo_id, list_owner=_owner(actor)) or None, "todo")


def delete_all(actor: Actor) -> None:
    """Empty the actor's list."""
    _delete_all.run(list_owner=_owner(actor))


def _owner(actor: Actor) -> str | None:
    return actor.id or None
