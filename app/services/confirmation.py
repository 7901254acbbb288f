"""Proving an address, one's own or a new one, by a link that was mailed there."""

from app.errors import Conflict
from app.models import User
from app.services import accounts, credentials, links, mails, users
from app.services.actor import Actor
from app.sql import atomic

PURPOSE = "confirm"


@atomic
def ask(actor: Actor) -> None:
    """Mail the link to the actor's address once more.

    Raises NoMail, Conflict where the address is confirmed already, TooManyRequests.
    """
    mails.need()
    user = users.get(actor, actor.id)
    if user.email_verified:
        raise Conflict("Your email address is confirmed already.")
    mails.ask_to_confirm(actor, user, user.email)


def is_live(secret: str) -> bool:
    return links.is_live(secret, PURPOSE)


def follow(origin: Actor, secret: str) -> User:
    """Confirm the address that the link went to, which becomes the account's where it is new.

    Raises VoidLink, Conflict where another account has taken the address meanwhile.
    """
    link = links.find(secret, PURPOSE)
    return _follow(origin.as_user(link.user_id), secret)


@atomic
def _follow(actor: Actor, secret: str) -> User:
    credentials.hold(actor.id)
    link = links.spend(secret)
    return accounts.confirm_email(actor, actor.id, link.email)
