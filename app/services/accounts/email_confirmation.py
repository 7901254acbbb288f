"""Confirmation of an email address, the current or a new one, by a mailed link."""

from dataclasses import dataclass

from app.errors import Conflict, Forbidden, Unauthorized
from app.models import User
from app.services.accounts import link_changes
from app.services.authentication import authentication, credentials, one_time_links
from app.services.outbox import mails
from app.services.shared import audit
from app.services.shared.actor import SYSTEM, Actor
from app.services.users import users
from app.sql import atomic

PURPOSE = "confirm"


@atomic
def ask(actor: Actor) -> None:
    """Mail the link again, to the pending new address or, without one, to the actor's address.

    Raises NoMail, TooManyRequests, and Conflict if the account has no address or it is confirmed.
    """
    mails.need()
    user = users.get(actor, actor.id)
    email = pending(user)
    if email is None:
        mails.require_address(user)
        if user.email_verified:
            raise Conflict("Your email address is confirmed already.")
    mails.ask_to_confirm(actor, user, email or user.email)


def pending(user: User) -> str | None:
    """Return the new address of the account that is not confirmed yet, or None."""
    email = one_time_links.waiting_for(user.id, PURPOSE)
    return email if email != user.email else None


@atomic
def cancel(actor: Actor) -> None:
    """Drop the new address that is not confirmed yet, if the account has one."""
    credentials.hold(actor.id)
    email = pending(users.get(actor, actor.id))
    if email is not None:
        one_time_links.drop(actor.id, PURPOSE)
        audit.record(actor, "user.email_removed", actor.id, {"email": [email, None]})


@dataclass(frozen=True)
class Question:
    """The account that claims the address `email`."""

    user: User
    email: str


def question(secret: str) -> Question:
    """Return the account and the address of a link. Raises VoidLink."""
    link = one_time_links.find(secret, PURPOSE)
    return Question(users.get(SYSTEM, link.user_id), link.email)


def follow(actor: Actor, secret: str, password: str | None = None) -> User:
    """Confirm the address that the link was mailed to, and set it if it is new.

    The link proves the mailbox; the session or the password of the account proves the account.
    Raises VoidLink, Unauthorized, BadCredentials, TooManyRequests, Forbidden for a session of
    another account, and Conflict if another account has the address.
    """
    owner = question(secret).user
    if actor.id and actor.id != owner.id:
        raise Forbidden("This link belongs to another account. Sign out first.")
    if not actor.id:
        if password is None:
            raise Unauthorized("Send the access token of the account, or its password.")
        authentication.authenticate(actor, owner.username, password)
        actor = actor.as_user(owner.id)
    return _follow(actor, secret)


@atomic
def _follow(actor: Actor, secret: str) -> User:
    credentials.require_live(actor, actor.id)
    link = one_time_links.spend(secret)
    return link_changes.confirm_email(actor, actor.id, link.email)


@atomic
def refuse(origin: Actor, secret: str) -> None:
    """Remove the address from the account, for a reader who does not know the account.

    Raises VoidLink.
    """
    user_id = one_time_links.find(secret, PURPOSE).user_id
    credentials.hold(user_id)
    link = one_time_links.spend(secret)
    link_changes.remove_email(origin, user_id, link.email)
