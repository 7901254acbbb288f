"""The rule that at least one active admin remains."""

from sqlalchemy import select

from app.errors import Conflict
from app.models import USERS, User
from app.sql import Statement

# Locks in the same order, so that only one of two admins who remove each other succeeds.
_lock = Statement[User](
    select(USERS.c.id)
    .where(User.role == "admin", User.is_active)
    .order_by(User.id)
    .with_for_update(key_share=True)
)


def hold() -> list[str]:
    """Lock the active admins until the commit, before any other account. Return their ids."""
    return [admin.id for admin in _lock.all()]


def require_another(admins: list[str], leaving: str) -> None:
    """Raise Conflict if `leaving` is the only one of the `admins`."""
    if admins == [leaving]:
        raise Conflict("The last active admin cannot be demoted, deactivated or deleted.")
