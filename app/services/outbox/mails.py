"""Mails, queued in the outbox here, and written and sent by the worker (app/worker/).

Nothing is queued if no mail is set up. No entry holds a secret: the secret of a link is created
when the mail is sent (app/services/authentication/one_time_links.py).
"""

import hashlib
from collections.abc import Sequence

from sqlalchemy import select

from app import settings
from app.errors import Conflict, NoMail
from app.models import User
from app.models.user import has_address
from app.services.outbox import mail_limits, outbox
from app.services.outbox.notices import AUTOMATIC, NOTICES
from app.services.shared import audit
from app.services.shared.actor import Actor
from app.sql import ROW_KEY, Statement

_owner = Statement[User](select(User).where(User.id == ROW_KEY))


def notify(actor: Actor, user: User, what: str, *, details: Sequence[str] = ()) -> None:
    """Mail one of NOTICES to the address of `user`, about an act of `actor`.

    `details` are listed below the sentence of the notice. An account without an address gets no
    mail.
    """
    assert what in NOTICES, what
    if settings.current().has_mail and has_address(user.email):
        own = actor.id == user.id
        payload = {
            "to": user.email,
            "username": user.username,
            "by_owner": own,
            "by_admin": not own and (actor.id != "" or what not in AUTOMATIC),
            # The address of another actor is that actor's personal data.
            "address": actor.address if own else "",
            "user_agent": actor.user_agent if own else "",
            "details": list(details),
            "can_undo": own and user.email_verified and what == "email_changed",
        }
        user_id = None if what == "deleted" else user.id  # entries are deleted with their account
        outbox.add("mail", what, payload, user_id=user_id, request_id=actor.request_id)


def notify_owner(actor: Actor, user_id: str, what: str, *, details: Sequence[str] = ()) -> None:
    """Mail a notice to the owner of `user_id`. Reads the account only if mail is set up."""
    user = _owner.one(key=user_id) if settings.current().has_mail else None
    if user is not None:
        notify(actor, user, what, details=details)


def send_link(actor: Actor, purpose: str, user: User, email: str, *, by: str = "") -> None:
    """Mail a link to `email`, unless the account differs from `user` when the mail is sent.

    `by` is the username of the admin who requested it.
    """
    if settings.current().has_mail:
        payload = {"to": email, "state": state_of(user), **({"by": by} if by else {})}
        outbox.add("mail", purpose, payload, user_id=user.id, request_id=actor.request_id)


def state_of(user: User) -> str:
    """Return the state a link is bound to: a change of password or email changes it."""
    return hashlib.sha256(f"{user.email} {user.password_hash}".encode()).hexdigest()[:32]


def ask_to_confirm(actor: Actor, user: User, email: str) -> None:
    """Mail a link that proves `email`, the current or a new one. Raises TooManyRequests."""
    mail_limits.count("confirm", email.lower(), user.id)
    changes = {"email": [user.email if user.email != email else None, email]}
    audit.record(actor, "user.confirmation_requested", user.id, changes)
    send_link(actor, "confirm", user, email)


def require_address(user: User) -> None:
    """Raise Conflict if the account has no address."""
    if not has_address(user.email):
        raise Conflict("This account has no email address. Set one first.")


def need() -> None:
    """Raise NoMail if no mail is set up."""
    if not settings.current().has_mail:
        raise NoMail("No mail is set up here. Ask an admin for help.")
