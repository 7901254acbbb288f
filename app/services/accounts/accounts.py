"""Changes of accounts by their owners and by admins, and their deletion."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete as delete_, update as update_

from app import settings, sql
from app.errors import PreconditionFailed
from app.models import USERS, User
from app.models.types import now
from app.models.user import no_address
from app.services.accounts import first_proof
from app.services.authentication import authentication, credentials
from app.services.outbox import mails
from app.services.shared import audit, audit_erasure, throttle
from app.services.shared.actor import Actor
from app.services.shared.existence import require_found
from app.services.shared.preconditions import Expect, check
from app.services.tasks import handover
from app.services.users import identifiers, last_admin, passwords, users
from app.sql import ROW_KEY, LostRace, Statement, UniqueViolation, atomic

audit.declare(
    "user",
    "user.deleted",
    "user.email_confirmed",
    "user.email_removed",
    "user.email_restored",
    "user.password_changed",
    "user.password_removed",
    "user.updated",
    words=("username", "email"),
)

EDITABLE = (
    *("username", "email", "password_hash", "role", "role_from", "is_active", "email_verified"),
)
ADMIN_FIELDS = ("username", "email", "role", "is_active")
RIGHTS = {"role", "is_active"}
GUARDED = RIGHTS | {"email"}  # a mail to the address resets the password

_update = Statement[User](
    update_(User)
    .where(USERS.c.id == ROW_KEY)
    .values({n: bindparam(f"new_{n}", type_=USERS.c[n].type) for n in (*EDITABLE, "updated_at")})
    .values(version=USERS.c.version + 1)
    .returning(*USERS.c)
)
_delete = Statement[User](delete_(User).where(USERS.c.id == ROW_KEY))


def update_self(
    actor: Actor,
    changes: dict[str, Any],
    current_password: str | None = None,
    expect: Expect = None,
) -> User:
    """Change the actor's username, email or password; the last two need the current password.

    A new password ends every session and token except the one in use and its family. Where mail is
    set up, a new email takes effect when the user follows the link mailed to the new address.
    """
    if changes.get("username", actor.username) != actor.username:
        identifiers.check_own_username(actor, changes["username"])
    proof = None
    if "email" in changes or "password" in changes:
        why = "Changing email or password needs the current password."
        proof = authentication.again(actor, current_password, why)
    news = _checked(changes, ("username", "email"))
    if "password" in changes:
        names = {"username": actor.username, "email": proof.email if proof else "", **news}
        passwords.check("password", changes["password"], names["username"], names["email"])
        news["password_hash"] = passwords.hash_(changes["password"])
    if "email" not in news:  # usernames are public to signed-in users: no limit
        return _update_self(actor, news, proof, expect)
    with throttle.few_taken_names(actor.id):
        return _update_self(actor, news, proof, expect)


@atomic
def _update_self(actor: Actor, news: dict[str, Any], proof: User | None, expect: Expect) -> User:
    user = _locked(actor.id, expect)
    if proof is not None and proof.password_hash != user.password_hash:
        raise PreconditionFailed("The password was changed in the meantime.")
    if "password_hash" in news:
        credentials.end_all(user.id, except_for=actor)
    pending_email = None
    if settings.current().has_mail and "email" in news:
        pending_email, news = news["email"], {n: news[n] for n in news if n != "email"}
    if news.get("email", user.email) != user.email:
        credentials.void_links(user.id)
    changed = _write(actor, user, news)
    if pending_email is not None:
        _ask_for_email(actor, changed, pending_email)
    return changed


def remove_password(actor: Actor, current_password: str | None) -> User:
    """Remove the actor's password, so that only a passkey or a linked account signs in.

    Ends every other page session and token pair; personal tokens stay valid. Raises Conflict if the
    account has no other way to sign in, EmailUnconfirmed, and the errors of authentication.again.
    """
    proof = authentication.again(actor, current_password)
    credentials.require_confirmed(proof)
    return _remove_password(actor, proof)


@atomic
def _remove_password(actor: Actor, proof: User) -> User:
    credentials.require_live(actor, actor.id)
    user = _locked(actor.id, None)
    if proof.password_hash != user.password_hash:
        raise PreconditionFailed("The password was changed in the meantime.")
    credentials.end_sign_ins(user.id, except_for=actor)
    credentials.void_links(user.id)
    changed = _write(actor, user, {"password_hash": passwords.NO_PASSWORD})
    authentication.require_another_sign_in(changed)
    return changed


def _ask_for_email(actor: Actor, user: User, email: str) -> None:
    if email == user.email:
        return
    other = users.by_name(email)
    if other is not None and other.id != user.id:
        raise identifiers.taken_email()
    mails.ask_to_confirm(actor, user, email)


@atomic
def update(actor: Actor, user_id: str, changes: dict[str, Any], expect: Expect = None) -> User:
    """Change any of ADMIN_FIELDS as an admin.

    Deactivation ends every session and token of the account at once. Raises Conflict if no active
    admin would remain, and ReauthenticationRequired if GUARDED fields need a more recent sign-in.
    """
    actor.require_admin()
    if GUARDED & changes.keys():
        authentication.require_recent_admin(actor)
    news = _checked(changes, ADMIN_FIELDS)
    admins = last_admin.hold() if RIGHTS & changes.keys() else []
    user = _locked(user_id, expect)
    if news.get("role", "admin") != "admin" or not news.get("is_active", True):
        last_admin.require_another(admins, user.id)
    if not news.get("is_active", True):
        credentials.end_all(user.id)
    if news.get("email", user.email) != user.email:
        credentials.void_links(user.id)
    return _write(actor, user, news)


@atomic
def delete(actor: Actor, user_id: str, expect: Expect = None) -> None:
    """Delete the account and its own tasks, and unassign it from the tasks of others.

    Raises ReauthenticationRequired if the account is not the actor's and the sign-in is too old.
    """
    if user_id != actor.id:
        authentication.require_recent_admin(actor)
    guarded = users.get(actor, user_id).role == "admin"
    admins = last_admin.hold() if guarded else []
    user = _locked(user_id, expect)
    if user.role == "admin" and not guarded:  # promoted since: retry, to lock the admins first
        raise LostRace("The account was changed meanwhile. Try again.")
    last_admin.require_another(admins, user.id)
    with sql.without_timeout():  # the account may own thousands of tasks and events
        handover.of_leaving(actor, user.id)
        mails.notify(actor, user, "deleted")
        _delete.run(key=user.id)
        audit.record(actor, "user.deleted", user.id)
        audit_erasure.erase_account(user.id)


@atomic
def set_password_hash(actor: Actor, user_id: str, password_hash: str, proved_email: str) -> None:
    """Set the password of a user who followed a link, mailed to `proved_email` unless it is empty.

    Ends every session and token. A link mailed to the account's address also removes the
    credentials added before the first proof of the address.
    """
    user = _locked(user_id, None)
    proved = proved_email == user.email
    verified = user.email_verified or proved
    _write(actor, user, {"password_hash": password_hash, "email_verified": verified})
    if proved:  # after _write, which stores the role of the old row
        first_proof.clean(actor, user)
    credentials.end_all(user_id)


@atomic
def confirm_email(actor: Actor, user_id: str, email: str) -> User:
    """Set an address proved by a mailed link and by `actor`, whose session stays valid.

    The first proof of the account ends all other sessions and tokens and removes the credentials
    added before. Raises Conflict if another account has the address.
    """
    user = _locked(user_id, None)
    if email != user.email:
        credentials.void_links(user_id)
    changed = _write(
        actor, user, {"email": email, "email_verified": True}, action="user.email_confirmed"
    )
    if not user.email_verified:
        first_proof.clean(actor, user)
        credentials.end_all(user_id, except_for=actor)
    return changed


@atomic
def remove_email(actor: Actor, user_id: str, email: str) -> None:
    """Remove an address from an account, for a reader of its mails who does not know the account.

    A confirmed address stays. A new address that is not confirmed yet is dropped.
    """
    user = _locked(user_id, None)
    audit.record(actor, "user.email_removed", user_id, {"email": [email, None]})
    if email == user.email and not user.email_verified:
        credentials.void_links(user_id)
        values = {f"new_{name}": getattr(user, name) for name in EDITABLE}
        values["new_email"] = no_address(user_id)
        _update.one(key=user_id, **values, new_updated_at=now())


@atomic
def restore_email(actor: Actor, user_id: str, email: str, since: datetime) -> None:
    """Restore an address that was changed at `since`, and remove the credentials added since then.

    Ends every session, token and link. Another account that has taken the address without
    confirming it loses it. Raises Conflict if another account has confirmed the address.
    """
    user = _locked(user_id, None)
    other = users.by_name(email)
    if other is not None and other.id != user_id:
        remove_email(actor, other.id, other.email)
    news = {"email": email, "email_verified": True}
    changed = _write(actor, user, news, action="user.email_restored")
    first_proof.remove_added(actor, user_id, now(), since)
    credentials.end_all(user_id)
    mails.notify(actor, changed, "email_restored")


def _checked(changes: dict[str, Any], names: Collection[str]) -> dict[str, Any]:
    """Return the changes of `names` in their stored form. Raises Invalid."""
    news = {name: changes[name] for name in names if name in changes}
    if "email" in news:
        news["email"] = identifiers.checked_email(news["email"])
    if "username" in news:
        identifiers.check_username(news["username"])
    return news


def _locked(user_id: str, expect: Expect) -> User:
    user = require_found(users.lock(user_id), "user")
    check(expect, user.version)
    return user


def _write(actor: Actor, user: User, news: dict[str, Any], *, action: str = "user.updated") -> User:
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
