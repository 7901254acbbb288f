"""Who sees a task: its owner, its assignee, and an admin. Statements take `parameters(actor)`."""

from typing import Any

from sqlalchemy import bindparam, or_

from app.models import Task
from app.services.actor import Actor

OWNED = Task.owner_id == bindparam("actor_id")
ASSIGNED = Task.assignee_id == bindparam("actor_id")
SEEN = or_(OWNED, ASSIGNED, bindparam("everyone"))


def parameters(actor: Actor) -> dict[str, Any]:
    return {"actor_id": actor.id, "everyone": actor.is_admin}
