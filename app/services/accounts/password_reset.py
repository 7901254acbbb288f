"""Password reset by a link, and the first password of an invited user."""

from datetime import datetime
from typing import NamedTuple

from app.models import User
from app.services.accounts import link_changes
from app.services.authentication import authentication, credentials, one_time_links
from app.services.outbox import mail_limits, mails, outbox
from app.services.shared import audit, throttle
from app.services.shared.actor import SYSTEM, Actor
from app.services.users import identifiers, passwords, users
from app.sql import atomic

PURPOSES = ("reset", "invite")


def ask(origin: Actor, email: str) -> None:
    """Mail a link to the account with this address, without revealing whether the account exists.

    A request over the limits of app.services.outbox.mail_limits is dropped: earlier links work for
    a day. Raises NoMail, Invalid.
    """
    mails.need()
    _ask(origin, identifiers.checked_email(email))


@atomic
def _ask(origin: Actor, email: str) -> None:
    """Run the same statements with and without an account, so that timing reveals nothing."""
    user = users.by_name(email)
    account = throttle.account_of(user.id if user else None, email)
    if not mail_limits.take_reset(email.lower(), account, origin.address):
        return
    audit.record(origin, "user.reset_requested", user.id if user else None)
    outbox.add("mail", "reset", {"to": email}, request_id=origin.request_id)


@atomic
def mail_link(actor: Actor, user: User) -> None:
    """Mail a link to the account, on behalf of an admin.

    Raises NoMail, and Conflict if the account has no address.
    """
    actor.require_admin()
    mails.need()
    mails.require_address(user)
    audit.record(actor, "user.reset_requested", user.id)
    outbox.add("mail", "reset", {"to": user.email}, request_id=actor.request_id)


@atomic
def make_link(actor: Actor, user: User) -> str:
    """Return the secret of a link that the admin hands over to the owner.

    Raises ReauthenticationRequired, because the holder of the secret can take over the account.
    """
    actor.require_admin()
    authentication.require_recent_admin(actor)
    credentials.hold(user.id)
    audit.record(actor, "user.reset_requested", user.id)
    return one_time_links.make(user.id, "reset", email="")


def is_live(secret: str) -> bool:
    return one_time_links.is_live(secret, *PURPOSES)


class Question(NamedTuple):
    """The account whose password a link sets, and the moment when the link expires."""

    user: User
    ends: datetime


def question(secret: str) -> Question:
    """Return the account and the expiry of a link. Raises VoidLink."""
    link = one_time_links.find(secret, *PURPOSES)
    return Question(users.get(SYSTEM, link.user_id), link.expires_at)


def follow(origin: Actor, secret: str, password: str) -> User:
    """Set a password by a link, and void the link. Raises VoidLink, Invalid.

    A mailed link also proves its address. The owner's network becomes a known one: wrong passwords
    of strangers do not throttle it.
    """
    link = one_time_links.find(secret, *PURPOSES)
    actor = origin.as_user(link.user_id)
    user = users.get(actor, link.user_id)
    passwords.check("password", password, user.username, user.email)
    _follow(actor, secret, passwords.hash_(password))
    return user


@atomic
def _follow(actor: Actor, secret: str, password_hash: str) -> None:
    credentials.hold(actor.id)
    link = one_time_links.spend(secret)
    link_changes.set_password_hash(actor, actor.id, password_hash, proved_email=link.email)
    if actor.address:
        throttle.trust(throttle.account_of(actor.id, ""), actor.address)
