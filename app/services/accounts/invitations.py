"""Invitations: an admin opens an account, and its owner sets the password by a link."""

from typing import Any

from sqlalchemy import select

from app.errors import Conflict
from app.models import AUDIT_EVENTS, AuditEvent, User
from app.services.authentication import authentication, credentials, one_time_links
from app.services.outbox import mail_limits, mails
from app.services.shared import audit
from app.services.shared.actor import Actor
from app.services.users import identifiers, passwords, registration, users
from app.sql import ROW_KEY, Statement, atomic

PURPOSE = "invite"
_invited = Statement[Any](
    select(User.username)
    .join(AuditEvent, AuditEvent.actor_id == User.id)
    .where(
        AuditEvent.target_type == "user",
        AuditEvent.target_id == ROW_KEY,
        AuditEvent.action == "user.invited",
    )
    .order_by(AuditEvent.created_at.desc(), AUDIT_EVENTS.c.id.desc())
    .limit(1)
)


@atomic
def invite(actor: Actor, email: str, username: str, role: str = "user") -> User:
    """Open an account and mail a link to set its password.

    Raises NoMail, Invalid, Conflict, and ReauthenticationRequired for an admin's account.
    """
    mails.need()
    user = _open(actor, email, username, role)
    mails.send_link(actor, PURPOSE, user, user.email, by=actor.username)
    return user


@atomic
def hand_over(actor: Actor, email: str, username: str, role: str = "user") -> str:
    """Open an account and return the secret of its link, for an operator without mail."""
    user = _open(actor, email, username, role)
    return one_time_links.make(user.id, PURPOSE, email="")


@atomic
def invite_again(actor: Actor, user_id: str) -> User:
    """Mail a new link and void the older one.

    Raises NoMail, NotFound, TooManyRequests, and Conflict if the invitation was accepted.
    """
    actor.require_admin()
    credentials.hold(user_id)
    user = users.get(actor, user_id)
    mails.need()
    if not is_open(user):
        raise Conflict("This account has a password already.")
    mail_limits.count(PURPOSE, user.email.lower(), actor.id)
    audit.record(actor, "user.invited", user.id)
    mails.send_link(actor, PURPOSE, user, user.email, by=actor.username)
    return user


def inviter(user: User) -> str:
    """Return the username of the admin who invited the account last, or "" for a command."""
    return _invited.scalar(key=user.id) or ""


def is_open(user: User) -> bool:
    """Return True if the account has no proved address and no way to sign in yet."""
    unset = user.password_hash == passwords.NO_PASSWORD and not user.email_verified
    return unset and not authentication.has_another_sign_in(user.id)


def _open(actor: Actor, email: str, username: str, role: str) -> User:
    actor.require_admin()
    if role == "admin":
        authentication.require_recent_admin(actor)
    email = identifiers.checked_email(email)
    identifiers.check_username(username)
    user = registration.store(actor, username, email, passwords.NO_PASSWORD, role)
    audit.record(actor, "user.invited", user.id)
    return user
