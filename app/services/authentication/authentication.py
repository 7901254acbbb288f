"""Proof of identity by the password, and the checks for a recent sign-in."""

from datetime import timedelta
from typing import Any

from sqlalchemy import bindparam, select, union_all, update

from app.errors import BadCredentials, Conflict, Invalid, ReauthenticationRequired
from app.faults import Code, Fault
from app.models import USERS, Factor, LinkedAccount, User
from app.models.types import now
from app.services.shared import audit, throttle
from app.services.shared.actor import SYSTEM, Actor
from app.services.users import passwords, users
from app.sql import ROW_KEY, Statement, atomic

WRONG = Fault(Code.INCORRECT, "This is not your password.")
RECENT = timedelta(minutes=15)  # the age of a sign-in that sensitive changes accept

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
    """Return the account with this email or username (case-insensitive) and password.

    Raises BadCredentials, audited, and TooManyRequests after too many failures. Neither text nor
    timing reveals the reason: unknown user, wrong password, or deactivated account.
    """
    user = users.by_name(identifier)
    account = throttle.account_of(user.id if user else None, identifier)
    throttle.check(account, actor.address)
    fits = passwords.verify(user.password_hash if user else None, password)
    if user is None or not fits or not user.is_active:
        _refuse(actor, user, account)
        raise BadCredentials("Wrong email, username or password.")
    throttle.settle(account, actor.address, succeeded=True)
    return _upgrade_hash(user, password) if passwords.is_outdated(user.password_hash) else user


def _upgrade_hash(user: User, password: str) -> User:
    new = passwords.hash_(password)
    _rehash.run(key=user.id, old=user.password_hash, new=new)
    current = users.get(SYSTEM, user.id)
    if current.password_hash != new and not passwords.verify(current.password_hash, password):
        raise BadCredentials("Wrong email, username or password.")  # changed meanwhile
    return current


def hold(user: User) -> None:
    """Lock the account until the commit. Raises BadCredentials if it differs from `user`.

    A session that starts after a change of the password or a deactivation would survive the end of
    all other credentials.
    """
    current = users.lock(user.id)
    if current is None or not current.is_active or current.password_hash != user.password_hash:
        raise BadCredentials("Wrong email, username or password.")


@atomic
def _refuse(actor: Actor, user: User | None, account: str) -> None:
    throttle.settle(account, actor.address, succeeded=False)
    audit.record(actor, "session.refused", user.id if user else None)


def confirm(actor: Actor, password: str, field: str = "current_password") -> User:
    """Check the password of the actor's account again, and return the account.

    A wrong password counts like a failed sign-in. Raises Invalid for `field`, and TooManyRequests.
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
    """Require a new proof of identity before a sensitive change (ASVS 5.0, 7.5.1).

    The proof is the password or, for an account without one, a sign-in within the last 15 minutes.
    Return the account. Raises Invalid with `why`, TooManyRequests, ReauthenticationRequired.
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
    """Raise ReauthenticationRequired unless the actor signed in within the last 15 minutes."""
    if actor.signed_in_at is None or now() - actor.signed_in_at > RECENT:
        raise ReauthenticationRequired("Sign in again to do that.")


def require_recent_admin(actor: Actor) -> None:
    """Require a recent sign-in of an admin who changes another user's rights or identity.

    Personal tokens, which are for programs, and commands on the machine are exempt.
    """
    if actor.signed_in_at is not None:
        require_recent(actor)


def has_another_sign_in(user_id: str) -> bool:
    """Return True if a passkey or a linked account can sign in, with or without a password."""
    return _other_ways.one(key=user_id) is not None


def require_another_sign_in(user: User) -> None:
    """Raise Conflict if the account has no password, passkey or linked account.

    Call it after a removal, in the same transaction: the error undoes the removal.
    """
    if not user.password_hash and not has_another_sign_in(user.id):
        raise Conflict("You could not sign in any more: set a password first, or add a passkey.")
