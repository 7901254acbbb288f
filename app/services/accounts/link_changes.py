"""Changes of an account that a mailed link makes: its password, and its address."""

from datetime import datetime

from app.models import User
from app.models.types import now
from app.services.accounts import account_rows, first_proof
from app.services.authentication import credentials
from app.services.outbox import mails
from app.services.shared import audit
from app.services.shared.actor import Actor
from app.services.users import users
from app.sql import atomic


@atomic
def set_password_hash(actor: Actor, user_id: str, password_hash: str, proved_email: str) -> None:
    """Set the password of a user who followed a link, mailed to `proved_email` unless it is empty.

    Ends every session and token. A link mailed to the account's address also removes the
    credentials added before the first proof of the address.
    """
    user = account_rows.lock(user_id)
    proved = proved_email == user.email
    verified = user.email_verified or proved
    account_rows.write(actor, user, {"password_hash": password_hash, "email_verified": verified})
    if proved:  # after write, which stores the role of the old row
        first_proof.clean(actor, user)
    credentials.end_all(user_id)


@atomic
def confirm_email(actor: Actor, user_id: str, email: str) -> User:
    """Set an address proved by a mailed link and by `actor`, whose session stays valid.

    The first proof of the account ends all other sessions and tokens and removes the credentials
    added before. Raises Conflict if another account has the address.
    """
    user = account_rows.lock(user_id)
    if email != user.email:
        credentials.void_links(user_id)
    changed = account_rows.write(
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
    user = account_rows.lock(user_id)
    audit.record(actor, "user.email_removed", user_id, {"email": [email, None]})
    if email == user.email and not user.email_verified:
        credentials.void_links(user_id)
        account_rows.drop_email(user)


@atomic
def restore_email(actor: Actor, user_id: str, email: str, since: datetime) -> None:
    """Restore an address that was changed at `since`, and remove the credentials added since then.

    Ends every session, token and link. Another account that has taken the address without
    confirming it loses it. Raises Conflict if another account has confirmed the address.
    """
    user = account_rows.lock(user_id)
    other = users.by_name(email)
    if other is not None and other.id != user_id:
        remove_email(actor, other.id, other.email)
    news = {"email": email, "email_verified": True}
    changed = account_rows.write(actor, user, news, action="user.email_restored")
    first_proof.remove_added(actor, user_id, now(), since)
    credentials.end_all(user_id)
    mails.notify(actor, changed, "email_restored")
