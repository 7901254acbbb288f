"""Proving who one is: by the password, and how long a sign-in is proof enough."""

from datetime import timedelta
from typing import Any

from sqlalchemy import bindparam, select, union_all, update

from app.errors import BadCredentials, Conflict, Invalid, ReauthenticationRequired
from app.faults import Code, Fault
from app.models import USERS, Factor, LinkedAccount, User
from app.models.types import now
from app.services.shared import audit, throttle
from app.services.shared.actor import Actor
from app.services.users import passwords, users
from app.sql import ROW_KEY, Statement, atomic

audit.declare("user", "session.refused")

WRONG = Fault(Code.INCORRECT, "This is not your password.")
RECENT = timedelta(minutes=15)  # how long a sign-in is proof enough for what matters most

_rehash = Statement[User](
    update(User)
    .where(USERS.c.id == ROW_KEY, User.password_hash == bindparam("old"))
    .values(password_hash=bindparam("new"))
)
_other_ways = Statement[Any](
    union_all(
        select(LinkedAccount.id).where(LinkedAccount.user_id == ROW_KEY),
        select(Factor.id).where(
            Factor.user_id == ROW_KEY, Factor.kind == "passkey", Factor.confirmed_at.is_not(None)
        ),
    ).limit(1)
)


def authenticate(actor: Actor, identifier: str, password: str) -> User:
    """The account, by email or username without case.

    Raises BadCredentials, audited, and TooManyRequests after too many of them.

    What is wrong (the user, the password, a deactivated account) shows in neither text nor time.
    """
    user = users.by_name(identifier)
    account = throttle.account_of(user.id if user else None, identifier)
    throttle.check(account, actor.address)
    fits = passwords.verify(user.password_hash if user else None, password)
    if user is None or not fits or not user.is_active:
        _refuse(actor, user, account)
        raise BadCredentials("Wrong email, username or password.")
    throttle.settle(account, actor.address, succeeded=True)
    return _rehashed(user, password) if passwords.is_outdated(user.password_hash) else user


def _rehashed(user: User, password: str) -> User:
    new = passwords.hash_(password)
    _rehash.run(key=user.id, old=user.password_hash, new=new)
    kept = users.get(Actor(id=user.id), user.id)
    if kept.password_hash != new and not passwords.verify(kept.password_hash, password):
        raise BadCredentials("Wrong email, username or password.")  # it was changed meanwhile
    return kept


def hold(user: User) -> None:
    """Keep the account as it is until the commit. Raises BadCredentials where it is not as `user`.

    What starts after its password was changed or it was closed would outlive the end of all else.
    """
    kept = users.lock(user.id)
    if kept is None or not kept.is_active or kept.password_hash != user.password_hash:
        raise BadCredentials("Wrong email, username or password.")


@atomic
def _refuse(actor: Actor, user: User | None, account: str) -> None:
    throttle.settle(account, actor.address, succeeded=False)
    audit.record(actor, "session.refused", user.id if user else None)


def confirm(actor: Actor, password: str, field: str = "current_password") -> User:
    """The actor's account, once more by its password: guessing is counted like signing in.

    Raises Invalid, blaming `field`, and TooManyRequests.
    """
    user = users.get(actor, actor.id)
    account = throttle.account_of(user.id, "")
    throttle.check(account, actor.address)
    fits = passwords.verify(user.password_hash, password)
    throttle.settle(account, actor.address, succeeded=fits)
    if not fits:
        raise Invalid("The current password is wrong.", {field: WRONG})
    return user


def again(actor: Actor, current_password: str | None, why: str = "") -> User:
    """The actor's account, before it is changed in what matters (ASVS 5.0, 7.5.1): by its password,
    or, where it has none, by a sign-in of the last 15 minutes.

    Raises Invalid with `why`, TooManyRequests, ReauthenticationRequired.
    """
    user = users.get(actor, actor.id)
    if not user.password_hash:
        require_recent(actor)
        return user
    if current_password is None:
        why = why or "This needs the current password."
        raise Invalid(why, {"current_password": Fault(Code.REQUIRED, why)})
    return confirm(actor, current_password)


def require_recent(actor: Actor) -> None:
    """Raises ReauthenticationRequired unless the actor signed in within the last 15 minutes."""
    if actor.signed_in_at is None or now() - actor.signed_in_at > RECENT:
        raise ReauthenticationRequired("Sign in again to do that.")


def require_recent_admin(actor: Actor) -> None:
    """The same of an admin who changes what others may do or who they are.

    Not of a personal token, which was made for programs, nor of a command on the machine.
    """
    if actor.signed_in_at is not None:
        require_recent(actor)


def has_another_sign_in(user_id: str) -> bool:
    """Return True if a passkey or a linked account signs in, whether or not there is a password."""
    return _other_ways.one(key=user_id) is not None


def require_another_sign_in(user: User) -> None:
    """Raises Conflict where no way to sign in is left: no password, passkey or linked account.

    After one of them was removed, in the transaction of the removal, which the error undoes.
    """
    if not user.password_hash and not has_another_sign_in(user.id):
        raise Conflict("You could not sign in any more: set a password first, or add a passkey.")
