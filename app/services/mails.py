"""The mails that there are: put into the outbox here, written and sent by the worker (app/mail/).

Where no mail is set up nothing is put there. No entry holds a secret: that of a link is made when
the mail is sent (app/services/links.py).
"""

import hashlib
from collections.abc import Sequence

from app import policy
from app.errors import Conflict, NoMail
from app.models import User
from app.services import audit, identifiers, mail_limits, outbox
from app.services.actor import Actor

audit.declare("user", "user.confirmation_requested")

# What somebody is told when it happened to their account (ASVS 5.0, 6.3.7), as the mail says it.
NOTICES = {
    "password_changed": "The password was changed, and every other login has ended.",
    "email_changed": "The email address was changed. This mail went to the old one.",
    "factor_added": "A second factor was added, and every other login has ended.",
    "factor_removed": "A second factor was removed.",
    "factors_reset": "The second factors were reset: the password alone logs in again.",
    "recovery_codes_made": "New recovery codes were made. Those from before are void.",
    "recovery_code_used": "A recovery code was used in place of a second factor.",
    "identity_linked": "An account elsewhere was linked to yours, and can log in to it.",
    "webhook_switched_off": "A webhook was switched off: it failed for days, or an admin did it.",
    "token_created": "A personal token was made. Whoever holds it can use the API as you.",
    "token_ending": "A personal token ends in a week. Make a new one if a program still needs it.",
    "removed_at_proof": "A mailed link proved the email address of the account for the first time. "
    "What had been added before the proof was removed, in case somebody else had added it:",
    "identity_unlinked": "An account elsewhere was unlinked, and cannot log in to yours any more.",
}


def notify(actor: Actor, user: User, what: str, *, details: Sequence[str] = ()) -> None:
    """Tell `user`, at the address in it, that one of NOTICES happened by `actor`.

    `details` are listed below its sentence. An account without an address gets no mail.
    """
    assert what in NOTICES, what
    if policy.current().has_mail and identifiers.has_address(user):
        own = actor.id == user.id
        payload = {
            "to": user.email,
            "username": user.username,
            "by_owner": own,
            # Where somebody else was when they did something to the account is theirs.
            "address": actor.address if own else "",
            "details": list(details),
        }
        outbox.add("mail", what, payload, user_id=user.id, request_id=actor.request_id)


def send_link(actor: Actor, purpose: str, user: User, email: str) -> None:
    """Mail a link to `email`, unless the account is another than `user` when it is to be sent."""
    if policy.current().has_mail:
        payload = {"to": email, "state": state_of(user)}
        outbox.add("mail", purpose, payload, user_id=user.id, request_id=actor.request_id)


def state_of(user: User) -> str:
    """What a link is bound to: another one after a change of the password or the email."""
    return hashlib.sha256(f"{user.email} {user.password_hash}".encode()).hexdigest()[:32]


def ask_to_confirm(actor: Actor, user: User, email: str) -> None:
    """Mail a link that proves `email`, the account's own or a new one. Raises TooManyRequests."""
    mail_limits.count("confirm", email.lower(), user.id)
    changes = {"email": [user.email if user.email != email else None, email]}
    audit.record(actor, "user.confirmation_requested", user.id, changes)
    send_link(actor, "confirm", user, email)


def need_address(user: User) -> None:
    """Raises Conflict where the account has no address."""
    if not identifiers.has_address(user):
        raise Conflict("This account has no email address. Set one first.")


def need() -> None:
    """Raises NoMail."""
    if not policy.current().has_mail:
        raise NoMail("No mail is set up here. Ask an admin for help.")
