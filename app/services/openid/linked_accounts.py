"""Provider accounts linked to local accounts: their lookup, links and unlinks.

The email address from a provider proves nothing about a local account with the same address: only
its signed-in owner can link the two. So no administrator of a provider can take over an account,
and nobody who registered with the address of another person shares an account with that person.
"""

from datetime import datetime

from sqlalchemy import bindparam, delete, insert, select, update

from app.errors import Conflict
from app.models import LINKED_ACCOUNTS, USERS, LinkedAccount, User
from app.models.types import UTCDateTime, now, uuid7
from app.services.authentication import authentication, credentials
from app.services.openid import group_roles
from app.services.openid.person import Person
from app.services.outbox import mails
from app.services.shared import audit, throttle
from app.services.shared.actor import Actor
from app.services.shared.existence import require_found
from app.services.users import last_admin, users
from app.sql import ROW_KEY, Statement, UniqueViolation, atomic

_found = Statement[LinkedAccount](
    select(*LINKED_ACCOUNTS.c).where(
        LinkedAccount.issuer == bindparam("issuer"), LinkedAccount.subject == bindparam("subject")
    )
)
_owner = Statement[User](
    select(*USERS.c)
    .join(LinkedAccount, LinkedAccount.user_id == User.id)
    .where(
        LinkedAccount.issuer == bindparam("issuer"), LinkedAccount.subject == bindparam("subject")
    )
)
_of_user = Statement[LinkedAccount](
    select(*LINKED_ACCOUNTS.c)
    .where(LinkedAccount.user_id == ROW_KEY)
    .order_by(LinkedAccount.created_at, LINKED_ACCOUNTS.c.id)
)
_insert = Statement[LinkedAccount](insert(LINKED_ACCOUNTS))
_update_use = Statement[LinkedAccount](
    update(LinkedAccount)
    .where(LINKED_ACCOUNTS.c.id == ROW_KEY)
    .values(email=bindparam("told"), last_used_at=bindparam("moment", type_=UTCDateTime()))
)
_delete = Statement[LinkedAccount](delete(LinkedAccount).where(LINKED_ACCOUNTS.c.id == ROW_KEY))


def owner(person: Person) -> User | None:
    """Return the account that `person` is linked to, active or not."""
    return _owner.one(issuer=person.issuer, subject=person.subject)


@atomic
def note_use(origin: Actor, person: Person) -> None:
    """Record a sign-in by `person`, and trust its network as one of the owner's."""
    found = _found.one(issuer=person.issuer, subject=person.subject)
    if found is not None:
        _update_use.run(key=found.id, told=person.email, moment=now())
        throttle.trust(throttle.account_of(found.user_id, ""), origin.address)


def of_actor(actor: Actor) -> list[LinkedAccount]:
    """Return the linked accounts of the actor, the oldest first."""
    return _of_user.all(key=actor.id)


@atomic
def link(actor: Actor, person: Person) -> None:
    """Link `person` to the actor's account; a second time changes nothing.

    Raises ReauthenticationRequired, InvalidToken, EmailUnconfirmed, and Conflict if `person` is
    linked to another account.
    """
    authentication.require_recent(actor)
    credentials.require_live(actor, actor.id, confirmed=True)
    found = _found.one(issuer=person.issuer, subject=person.subject)
    if found is None:
        add(actor, person)
        mails.notify(actor, users.get(actor, actor.id), "identity_linked")
    elif found.user_id != actor.id:
        raise _taken()


@atomic
def unlink(actor: Actor, identity_id: str) -> None:
    """Remove a link of the actor's account.

    Raises ReauthenticationRequired, InvalidToken, NotFound, and Conflict if no way to sign in
    remains.
    """
    authentication.require_recent(actor)
    if actor.role == "admin":
        last_admin.hold()  # before the account: the unlink may withdraw the admin role
    credentials.require_live(actor, actor.id)
    mine = (one for one in of_actor(actor) if one.id == identity_id)
    found = require_found(next(mine, None), "linked account")
    _remove(actor, found)
    user = users.get(actor, actor.id)
    authentication.require_another_sign_in(user)
    mails.notify(actor, user, "identity_unlinked")


@atomic
def unlink_all(
    actor: Actor, user_id: str, before: datetime, since: datetime = credentials.BEGINNING
) -> int:
    """Remove the links made from `since` to `before`. Return their number."""
    linked = [one for one in _of_user.all(key=user_id) if since <= one.created_at <= before]
    for identity in linked:
        _remove(actor, identity)
    return len(linked)


def _remove(actor: Actor, identity: LinkedAccount) -> None:
    _delete.run(key=identity.id)
    changes = {"issuer": [identity.issuer, None], "subject": [identity.subject, None]}
    audit.record(actor, "identity.unlinked", identity.user_id, changes)
    group_roles.withdraw(actor, identity)


@atomic
def add(actor: Actor, person: Person) -> None:
    """Store a link of `person` to the actor's account. Raises Conflict if `person` has one."""
    moment = now()
    try:
        _insert.run(
            id=uuid7(),
            user_id=actor.id,
            issuer=person.issuer,
            subject=person.subject,
            email=person.email,
            created_at=moment,
            last_used_at=None,
        )
    except UniqueViolation as error:
        raise _taken() from error
    changes = {"issuer": [None, person.issuer], "subject": [None, person.subject]}
    audit.record(actor, "identity.linked", actor.id, changes)


def _taken() -> Conflict:
    return Conflict("That account is linked to another one here. Unlink it there first.")
