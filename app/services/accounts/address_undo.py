"""Undo of a change of an email address, by a link mailed to the old address.

The change may be the act of a thief. So the link needs no sign-in, and a new password or
another event that voids links does not void it.
"""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, delete, insert, select

from app.errors import VoidLink
from app.models import EMAIL_CHANGES, OUTBOX_ENTRIES, EmailChange, OutboxEntry, User
from app.models.email_change import UNDO_LIFE
from app.models.types import UTCDateTime, now, uuid7
from app.services.accounts import link_changes
from app.services.authentication import credentials, one_time_links, secret_tokens
from app.services.outbox import outbox
from app.services.shared.actor import SYSTEM, Actor
from app.services.users import users
from app.sql import ROW_KEY, Statement, atomic

NOTICE = "email_changed"
VOID = "This link was used or is too old."
_works = (
    EmailChange.hash == ROW_KEY,
    EmailChange.expires_at > bindparam("moment", type_=UTCDateTime()),
)
_insert = Statement[EmailChange](insert(EMAIL_CHANGES))
_find = Statement[EmailChange](select(*EMAIL_CHANGES.c).where(*_works))
_spend = Statement[EmailChange](delete(EmailChange).where(*_works).returning(*EMAIL_CHANGES.c))
_since = bindparam("since", type_=UTCDateTime())
_forget_later = Statement[EmailChange](
    delete(EmailChange).where(EmailChange.user_id == ROW_KEY, EmailChange.created_at >= _since)
)
_later_notices = Statement[OutboxEntry](
    select(*OUTBOX_ENTRIES.c).where(
        OutboxEntry.user_id == ROW_KEY,
        OutboxEntry.name == NOTICE,
        OutboxEntry.created_at >= _since,
    )
)


class Question(NamedTuple):
    """The account whose change can be undone, and the address to restore."""

    user: User
    email: str


@atomic
def make(entry: OutboxEntry) -> str:
    """Return the secret of a link for a due mail, or "" if the change cannot be undone.

    An admin's change has no link: the old address may belong to a thief. An address that was
    never proved has no link: by a typing error it may belong to a stranger.
    """
    user = users.lock(entry.user_id or "")
    payload = outbox.payload(entry)  # read again under the lock of the account
    if not payload.get("can_undo") or user is None or user.email == payload["to"]:
        return ""
    secret = secret_tokens.make()
    _insert.run(
        id=uuid7(),
        user_id=user.id,
        email=payload["to"],
        hash=secret_tokens.digest(secret),
        created_at=entry.created_at,
        expires_at=entry.created_at + UNDO_LIFE,
    )
    return secret


def question(secret: str) -> Question:
    """Return the account and the old address of a link. Raises VoidLink."""
    change = _find.one(key=secret_tokens.digest(secret), moment=now())
    if change is None:
        raise VoidLink(VOID)
    return Question(users.get(SYSTEM, change.user_id), change.email)


@atomic
def undo(origin: Actor, secret: str) -> str:
    """Restore the old address and return the secret of a link that sets a new password.

    Ends every session, token and other link, and removes the passkeys, apps, linked accounts,
    webhooks and personal tokens added since the change. Voids the links of later changes, because
    the reader of a later address may be a thief; links of earlier changes still work. Raises
    VoidLink, and Conflict if another account has confirmed the address.
    """
    user_id = question(secret).user.id
    credentials.hold(user_id)
    change = _spend.one(key=secret_tokens.digest(secret), moment=now())
    if change is None:
        raise VoidLink(VOID)
    _void_later(user_id, change.created_at)
    link_changes.restore_email(origin.as_user(user_id), user_id, change.email, change.created_at)
    return one_time_links.make(user_id, "reset", email=change.email)


def _void_later(user_id: str, since: datetime) -> None:
    """Void the undo links of the changes since `since`, including those of unsent mails."""
    _forget_later.run(key=user_id, since=since)
    for entry in _later_notices.all(key=user_id, since=since):
        outbox.rewrite(entry.id, {**entry.payload, "can_undo": False})
