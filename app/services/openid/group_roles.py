"""The admin role by a group at an OpenID provider, updated at each sign-in through the provider.

`User.role_from` names the linked account that gave the role. This module never withdraws a role
that an admin gave by hand. Only the account that signs in changes, by its groups at that moment.
"""

from sqlalchemy import bindparam, select, update

from app.models import USERS, LinkedAccount, User
from app.models.types import UTCDateTime, now
from app.services.openid.person import Person
from app.services.outbox import mails
from app.services.shared import audit
from app.services.shared.actor import Actor
from app.services.users import last_admin, users
from app.sql import ROW_KEY, Statement, atomic

_link = Statement[LinkedAccount](
    select(LinkedAccount.id).where(
        LinkedAccount.user_id == ROW_KEY,
        LinkedAccount.issuer == bindparam("issuer"),
        LinkedAccount.subject == bindparam("subject"),
    )
)
_set = Statement[User](
    update(User)
    .where(USERS.c.id == ROW_KEY)
    .values(
        role=bindparam("new_role"),
        role_from=bindparam("new_from", type_=USERS.c.role_from.type),
        updated_at=bindparam("moment", type_=UTCDateTime()),
        version=USERS.c.version + 1,
    )
    .returning(*USERS.c)
)


def follow(origin: Actor, user: User, person: Person) -> None:
    """Update the role of `user` by the groups of `person`, who has just signed in.

    The last active admin keeps the role until there is another.
    """
    if person.admin_groups and user.role != "admin":
        _give(origin.as_user(user.id), person)
    if not person.admin_groups and user.role_from is not None:
        _take(origin.as_user(user.id), person)


@atomic
def _give(actor: Actor, person: Person) -> None:
    user = users.lock(actor.id)
    link = _link.one(key=actor.id, issuer=person.issuer, subject=person.subject)
    if user is not None and user.is_active and user.role != "admin" and link is not None:
        why = f"member of {person.admin_groups[0]} at {person.issuer}"
        _change(actor, user, "admin", link.id, why)


@atomic
def _take(actor: Actor, person: Person) -> None:
    admins = last_admin.hold()
    user = users.lock(actor.id)
    link = _link.one(key=actor.id, issuer=person.issuer, subject=person.subject)
    if user is not None and link is not None and user.role_from == link.id:
        _withdraw(actor, user, admins, f"in no group of admins at {person.issuer}")


@atomic
def withdraw(actor: Actor, identity: LinkedAccount) -> None:
    """Withdraw the role that a removed link gave, unless no active admin would remain.

    A caller may have locked the account before the admins, against the usual order. The database
    then ends a deadlock, and the transaction is retried.
    """
    user = users.lock(identity.user_id)
    if user is not None and user.role_from == identity.id:
        _withdraw(actor, user, last_admin.hold(), f"unlinked from {identity.issuer}")


def _withdraw(actor: Actor, user: User, admins: list[str], why: str) -> None:
    if admins != [user.id]:
        _change(actor, user, "user", None, why)


def _change(actor: Actor, user: User, role: str, role_from: str | None, why: str) -> None:
    changed = _set.one(key=user.id, new_role=role, new_from=role_from, moment=now())
    assert changed is not None
    audit.record(actor, "user.updated", user.id, {"role": [user.role, role], "reason": [None, why]})
    mails.notify(actor, changed, "role_changed", details=[f"{user.role} → {role}", why])
