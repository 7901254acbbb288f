"""Removal of the credentials that were added before the first proof of an email address.

An attacker may have opened the account with the address of its later owner and added credentials
to sign in again (account pre-hijacking, Sudhodanan and Paverd 2022).
"""

from datetime import datetime

from sqlalchemy import select

from app.models import AuditEvent, User
from app.models.types import now
from app.services.access import personal_tokens
from app.services.authentication import credentials
from app.services.factors import factors
from app.services.openid import linked_accounts
from app.services.outbox import mails
from app.services.shared.actor import Actor
from app.services.webhooks import webhooks
from app.sql import ROW_KEY, Statement, atomic

_KINDS = {
    "passkey": factors.remove_passkeys,
    "authenticator app": factors.remove_apps,
    "linked account": linked_accounts.unlink_all,
    "webhook": webhooks.delete_all,
    "personal token": personal_tokens.revoke_all,
}
_changes = Statement[AuditEvent](
    select(AuditEvent.changes, AuditEvent.created_at)
    .where(AuditEvent.target_id == ROW_KEY, AuditEvent.action == "user.updated")
    .order_by(AuditEvent.created_at.desc())
)


@atomic
def clean(actor: Actor, user: User) -> None:
    """Remove the credentials added before the address of `user` was proved, and mail their list.

    `user` is the account before this proof. The caller must hold its lock.
    """
    before = now() if not user.email_verified else _earlier_release(user.id)
    if before is None:
        return
    removed = remove_added(actor, user.id, before)
    if removed:
        mails.notify(actor, user, "removed_at_proof", details=removed)


def remove_added(
    actor: Actor, user_id: str, before: datetime, since: datetime = credentials.BEGINNING
) -> list[str]:
    """Remove the credentials added from `since` to `before`. Return their list in words."""
    return [
        f"{number} {kind}{'s' if number > 1 else ''}"
        for kind, remove in _KINDS.items()
        if (number := remove(actor, user_id, before, since))
    ]


def _earlier_release(user_id: str) -> datetime | None:
    """Return the moment when a link alone confirmed the address, as earlier releases allowed.

    Those releases recorded such a proof as `user.updated`. Return None if there is no such event.
    """
    for event in _changes.all(key=user_id):
        changes = event.changes
        if changes.get("email_verified") == [False, True] or "email" in changes:
            return event.created_at
    return None
