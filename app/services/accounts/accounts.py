"""Changes of accounts by their owners and by admins, and their deletion."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import delete as delete_

from app import settings, sql
from app.errors import PreconditionFailed
from app.models import USERS, User
from app.services import hooks
from app.services.accounts import account_rows
from app.services.authentication import authentication, credentials
from app.services.outbox import mails
from app.services.shared import audit, audit_erasure, throttle
from app.services.shared.actor import Actor
from app.services.shared.preconditions import Expect
from app.services.users import identifiers, last_admin, passwords, users
from app.sql import ROW_KEY, LostRace, Statement, atomic

ADMIN_FIELDS = ("username", "email", "role", "is_active")
RIGHTS = {"role", "is_active"}
GUARDED = RIGHTS | {"email"}  # a mail to the address resets the password

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
    user = account_rows.lock(actor.id, expect)
    if proof is not None and proof.password_hash != user.password_hash:
        raise PreconditionFailed("The password was changed in the meantime.")
    if "password_hash" in news:
        credentials.end_all(user.id, except_for=actor)
    pending_email = None
    if settings.current().has_mail and "email" in news:
        pending_email, news = news["email"], {n: news[n] for n in news if n != "email"}
    if news.get("email", user.email) != user.email:
        credentials.void_links(user.id)
    changed = account_rows.write(actor, user, news)
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
    user = account_rows.lock(actor.id)
    if proof.password_hash != user.password_hash:
        raise PreconditionFailed("The password was changed in the meantime.")
    credentials.end_sign_ins(user.id, except_for=actor)
    credentials.void_links(user.id)
    changed = account_rows.write(actor, user, {"password_hash": passwords.NO_PASSWORD})
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
    user = account_rows.lock(user_id, expect)
    if news.get("role", "admin") != "admin" or not news.get("is_active", True):
        last_admin.require_another(admins, user.id)
    if not news.get("is_active", True):
        credentials.end_all(user.id)
    if news.get("email", user.email) != user.email:
        credentials.void_links(user.id)
    return account_rows.write(actor, user, news)


@atomic
def delete(actor: Actor, user_id: str, expect: Expect = None) -> None:
    """Delete the account with its records, and hand over the records of others that name it.

    Raises ReauthenticationRequired if the account is not the actor's and the sign-in is too old.
    """
    if user_id != actor.id:
        authentication.require_recent_admin(actor)
    guarded = users.get(actor, user_id).role == "admin"
    admins = last_admin.hold() if guarded else []
    user = account_rows.lock(user_id, expect)
    if user.role == "admin" and not guarded:  # promoted since: retry, to lock the admins first
        raise LostRace("The account was changed meanwhile. Try again.")
    last_admin.require_another(admins, user.id)
    with sql.without_timeout():  # the account may own thousands of records and events
        for hook in hooks.BEFORE_ACCOUNT_DELETION:
            hook(actor, user.id)
        audit_erasure.erase_records(user.id)
        mails.notify(actor, user, "deleted")
        _delete.run(key=user.id)
        audit.record(actor, "user.deleted", user.id)
        audit_erasure.erase_account(user.id)


def _checked(changes: dict[str, Any], names: Collection[str]) -> dict[str, Any]:
    """Return the changes of `names` in their stored form. Raises Invalid."""
    news = {name: changes[name] for name in names if name in changes}
    if "email" in news:
        news["email"] = identifiers.checked_email(news["email"])
    if "username" in news:
        identifiers.check_username(news["username"])
    return news
