"""One active admin stays, whoever goes."""

from sqlalchemy import select

from app.errors import Conflict
from app.models import USERS, User
from app.sql import Statement

# Each waits for the others in the same order, so that two admins who remove each other cannot both.
_lock = Statement[User](
    select(USERS.c.id)
    .where(User.role == "admin", User.is_active)
    .order_by(User.id)
    .with_for_update(key_share=True)
)


def hold() -> list[str]:
    """The ids of the active admins, who stay so until the commit. Before any other account."""
    return [admin.id for admin in _lock.all()]


def require_another(admins: list[str], leaving: str) -> None:
    """Raises Conflict where only `leaving` is left of the `admins`."""
    if admins == [leaving]:
        raise Conflict("The last active admin cannot be demoted, deactivated or deleted.")
