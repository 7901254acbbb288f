"""Undoing a change of an email address, by a link that is mailed to the old one.

The change may be the act of a thief. The link needs no sign-in and survives what
voids other links, as a new password does.
"""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, delete, insert, select

from app.errors import VoidLink
from app.models import EMAIL_CHANGES, OUTBOX_ENTRIES, EmailChange, OutboxEntry, User
from app.models.email_change import UNDO_LIFE
from app.models.types import UTCDateTime, now, uuid7
from app.services.accounts import accounts
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
    """The account whose change is to be undone, and the address that it gets back."""

    user: User
    email: str


@atomic
def make(entry: OutboxEntry) -> str:
    """Return the secret of a link for a mail that is due, "" where nothing can be undone.

    An admin's change has no link: the old address may be the one of a thief. An address that was
    never proved has none: it may be a stranger's, by a slip of the keyboard.
    """
    user = users.lock(entry.user_id or "")
    payload = outbox.payload(entry)  # as it is while the account is held
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
    """Raises VoidLink."""
    change = _find.one(key=secret_tokens.digest(secret), moment=now())
    if change is None:
        raise VoidLink(VOID)
    return Question(users.get(SYSTEM, change.user_id), change.email)


@atomic
def undo(origin: Actor, secret: str) -> str:
    """Restore the old address, and return the secret of a link that sets a new password.

    Ends every session, token and other link, and removes the passkeys, factors, linked accounts
    and webhooks that were added since the change. The links of later changes are void, the links
    of earlier ones work: the reader of a later address may be a thief. Raises VoidLink, and
    Conflict where another account has confirmed the address.
    """
    user_id = question(secret).user.id
    credentials.hold(user_id)
    change = _spend.one(key=secret_tokens.digest(secret), moment=now())
    if change is None:
        raise VoidLink(VOID)
    _void_later(user_id, change.created_at)
    accounts.restore_email(origin.as_user(user_id), user_id, change.email, change.created_at)
    return one_time_links.make(user_id, "reset", email=change.email)


def _void_later(user_id: str, since: datetime) -> None:
    """Void the links of the changes from `since` on, also of mails that have yet to leave."""
    _forget_later.run(key=user_id, since=since)
    for entry in _later_notices.all(key=user_id, since=since):
        outbox.rewrite(entry.id, {**entry.payload, "can_undo": False})
