"""One-time links by a secret: created, found and spent. Other modules define their effects."""

from typing import NamedTuple

from sqlalchemy import Integer, bindparam, delete, insert, select

from app.errors import VoidLink
from app.models import ONE_TIME_LINKS, OUTBOX_ENTRIES, OneTimeLink, OutboxEntry, User
from app.models.one_time_link import KEPT, LIFE
from app.models.types import UTCDateTime, now, uuid7
from app.services.authentication import secret_tokens
from app.services.outbox import mails
from app.services.users import users
from app.sql import ROW_KEY, Statement, atomic

_purpose = OneTimeLink.purpose == bindparam("purpose")
_works = (
    OneTimeLink.hash == ROW_KEY,
    OneTimeLink.expires_at > bindparam("moment", type_=UTCDateTime()),
)
_insert = Statement[OneTimeLink](insert(ONE_TIME_LINKS))
_newest = (
    select(ONE_TIME_LINKS.c.id)
    .where(OneTimeLink.user_id == ROW_KEY, _purpose)
    .order_by(OneTimeLink.created_at.desc(), ONE_TIME_LINKS.c.id.desc())
    .limit(bindparam("number", type_=Integer()))
)
_void = Statement[OneTimeLink](
    delete(OneTimeLink).where(
        OneTimeLink.user_id == ROW_KEY, _purpose, OneTimeLink.id.not_in(_newest)
    )
)
_find = Statement[OneTimeLink](select(*ONE_TIME_LINKS.c).where(*_works))
_spend = Statement[OneTimeLink](delete(OneTimeLink).where(*_works).returning(*ONE_TIME_LINKS.c))
_drop = Statement[OneTimeLink](delete(OneTimeLink).where(OneTimeLink.user_id == ROW_KEY, _purpose))
_sent_to = Statement[OneTimeLink](
    select(OneTimeLink.email)
    .where(OneTimeLink.user_id == ROW_KEY, _purpose)
    .where(OneTimeLink.expires_at > bindparam("moment", type_=UTCDateTime()))
    .order_by(ONE_TIME_LINKS.c.id.desc())
    .limit(1)
)
_unsent = (
    OutboxEntry.user_id == ROW_KEY,
    OutboxEntry.kind == "mail",
    OutboxEntry.name == bindparam("purpose"),
    OutboxEntry.status == "pending",
)
_to_be_sent = Statement[OutboxEntry](
    select(OutboxEntry.payload).where(*_unsent).order_by(OUTBOX_ENTRIES.c.id.desc()).limit(1)
)
_drop_unsent = Statement[OutboxEntry](delete(OutboxEntry).where(*_unsent))
_newer = Statement[OutboxEntry](
    select(OutboxEntry.id)
    .where(
        OutboxEntry.user_id == ROW_KEY,
        OutboxEntry.name == bindparam("purpose"),
        OUTBOX_ENTRIES.c.id > bindparam("entry_id"),
    )
    .limit(1)
)


def make(user_id: str, purpose: str, email: str) -> str:
    """Create a link and return its secret. Void all but the newest KEPT links of the purpose.

    `email` is the recipient, or "" for a link that is handed over in another way. The caller must
    hold the lock of the account, so that no concurrent change misses the new link.
    """
    secret, moment = secret_tokens.make(), now()
    _void.run(key=user_id, purpose=purpose, number=KEPT.get(purpose, 1) - 1)
    _insert.run(
        id=uuid7(),
        user_id=user_id,
        purpose=purpose,
        email=email,
        hash=secret_tokens.digest(secret),
        created_at=moment,
        expires_at=moment + LIFE[purpose],
    )
    return secret


def find(secret: str, *purposes: str) -> OneTimeLink:
    """Return the link with this secret and one of `purposes`. Raises VoidLink."""
    link = _find.one(key=secret_tokens.digest(secret), moment=now())
    if link is None or link.purpose not in purposes:
        raise _void_link()
    return link


def waiting_for(user_id: str, purpose: str) -> str | None:
    """Return the recipient of the newest valid or unsent link of this purpose, or None."""
    unsent = _to_be_sent.scalar(key=user_id, purpose=purpose)
    if unsent is not None:
        return str(unsent["to"])
    sent_to: str | None = _sent_to.scalar(key=user_id, purpose=purpose, moment=now())
    return sent_to


@atomic
def drop(user_id: str, purpose: str) -> None:
    """Void the links of this purpose and drop unsent mails. The caller locks the account."""
    _drop_unsent.run(key=user_id, purpose=purpose)
    _drop.run(key=user_id, purpose=purpose)


def is_live(secret: str, *purposes: str) -> bool:
    """Return True if a link with this secret and one of `purposes` is valid now."""
    link = _find.one(key=secret_tokens.digest(secret), moment=now())
    return link is not None and link.purpose in purposes


def spend(secret: str) -> OneTimeLink:
    """Void a link and return it. The caller locks the account. Raises VoidLink."""
    link = _spend.one(key=secret_tokens.digest(secret), moment=now())
    if link is None:
        raise _void_link()
    return link


class Opened(NamedTuple):
    username: str
    email: str
    secret: str


@atomic
def open_for(entry: OutboxEntry) -> Opened | None:
    """Create a link for a due mail. A link of an earlier attempt to send it may become void.

    Return None if the mail is obsolete: the account is gone, deactivated or changed since, or a
    newer mail of its kind is queued. A reset looks the address up only here, so that the request
    reveals nothing about accounts.
    """
    email = entry.payload["to"]
    found = users.lock(entry.user_id) if entry.user_id else users.by_name(email)
    if found is None:
        return None
    user = found if entry.user_id else users.lock(found.id)
    if user is None or not user.is_active or not _still_wanted(entry, user):
        return None
    to = user.email if entry.name == "reset" else email
    return Opened(user.username, to, make(user.id, entry.name, to))


def _still_wanted(entry: OutboxEntry, user: User) -> bool:
    payload: dict[str, str] = entry.payload
    if entry.name == "reset":
        return user.email.lower() == payload["to"].lower()
    if _newer.one(key=user.id, purpose=entry.name, entry_id=entry.id) is not None:
        return False
    return mails.state_of(user) == payload["state"]


def _void_link() -> VoidLink:
    return VoidLink("This link was used, replaced or is too old.")
