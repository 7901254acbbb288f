"""The row of an account: every change of it is stored, recorded and announced here."""

from typing import Any

from sqlalchemy import bindparam, update as update_

from app.models import USERS, User
from app.models.types import now
from app.models.user import no_address
from app.services.authentication import authentication
from app.services.outbox import mails
from app.services.shared import audit
from app.services.shared.actor import Actor
from app.services.shared.existence import require_found
from app.services.shared.preconditions import Expect, check
from app.services.users import identifiers, users
from app.sql import ROW_KEY, Statement, UniqueViolation

EDITABLE = (
    *("username", "email", "password_hash", "role", "role_from", "is_active", "email_verified"),
)

_update = Statement[User](
    update_(User)
    .where(USERS.c.id == ROW_KEY)
    .values({n: bindparam(f"new_{n}", type_=USERS.c[n].type) for n in (*EDITABLE, "updated_at")})
    .values(version=USERS.c.version + 1)
    .returning(*USERS.c)
)


def lock(user_id: str, expect: Expect = None) -> User:
    """Lock the account until the commit and return it. Raises NotFound, PreconditionFailed."""
    user = require_found(users.lock(user_id), "user")
    check(expect, user.version)
    return user


def write(actor: Actor, user: User, news: dict[str, Any], *, action: str = "user.updated") -> User:
    """Store `news` in the locked `user` and record it as `action`.

    Raises Conflict if a name is taken.
    """
    if news.get("email", user.email) != user.email:
        news.setdefault("email_verified", False)
    news = {name: value for name, value in news.items() if value != getattr(user, name)}
    if not news:
        return user
    if "role" in news and user.role_from is not None:
        news["role_from"] = None
    values = {f"new_{name}": news.get(name, getattr(user, name)) for name in EDITABLE}
    try:
        changed = _update.one(key=user.id, **values, new_updated_at=now())
    except UniqueViolation as error:
        raise identifiers.taken(error) from error
    assert changed is not None
    _record_and_notify(actor, user, changed, news, action)
    return changed


def drop_email(user: User) -> None:
    """Take the address off the locked `user`, without a notice, which would go to that address."""
    values = {f"new_{name}": getattr(user, name) for name in EDITABLE}
    values["new_email"] = no_address(user.id)
    _update.one(key=user.id, **values, new_updated_at=now())


def _record_password(actor: Actor, old: User, new: User) -> None:
    """Record and announce a change of the password.

    The first password of an invited user has no notice: the link that set it came by mail.
    """
    removed = not new.password_hash
    audit.record(actor, f"user.password_{'removed' if removed else 'changed'}", old.id)
    if removed:
        mails.notify(actor, new, "password_removed")
    elif old.password_hash:
        mails.notify(actor, new, "password_changed")
    elif authentication.has_another_sign_in(old.id):
        mails.notify(actor, new, "password_set")


def _record_and_notify(
    actor: Actor, old: User, new: User, news: dict[str, Any], action: str
) -> None:
    """Record the change in the audit trail and notify the owner of the account."""
    changes = {name: [getattr(old, name), value] for name, value in news.items()}
    if changes.pop("password_hash", None):
        _record_password(actor, old, new)
    if changes:
        audit.record(actor, action, old.id, changes)
    if "email" in changes and action != "user.email_restored":
        mails.notify(actor, old, "email_changed")
    for name, notice in (("username", "username_changed"), ("role", "role_changed")):
        if name in changes:
            mails.notify(actor, new, notice, details=[" → ".join(changes[name])])
    if "is_active" in changes:
        mails.notify(actor, new, "activated" if new.is_active else "deactivated")
