"""Page sessions, stored in the database so that every process sees the end of one at once."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update

from app.models import AUDIT_EVENTS, SESSIONS, USERS, AuditEvent, Session, User
from app.models.session import (
    ABSOLUTE,
    IDLE,
    REMEMBERED_ABSOLUTE,
    REMEMBERED_IDLE,
    USER_AGENT_MAX,
)
from app.models.types import UTCDateTime, now, uuid7
from app.services.authentication import authentication, secret_tokens
from app.services.factors import factors
from app.services.outbox import mails
from app.services.shared import audit
from app.services.shared.actor import STRANGER, Actor, scopes_of
from app.sql import ROW_KEY, Statement, atomic

SEEN_EVERY = timedelta(minutes=5)  # between two updates of the last use

_load = Statement[Any](
    select(
        *SESSIONS.c,
        USERS.c.username,
        USERS.c.role,
        USERS.c.email_verified,
    )
    .join(User, User.id == Session.user_id)
    .where(Session.hash == ROW_KEY, User.is_active),
    prepared=True,
)
_signed_in_before = Statement[AuditEvent](
    select(AUDIT_EVENTS.c.id)
    .where(AuditEvent.actor_id == ROW_KEY, AuditEvent.action == "session.created")
    .order_by(AuditEvent.created_at)
    .limit(1)
)
_insert = Statement[Session](insert(SESSIONS))
_touch = Statement[Session](
    update(Session)
    .where(SESSIONS.c.id == ROW_KEY)
    .values(last_seen_at=bindparam("moment", type_=UTCDateTime()))
)
_renew = Statement[Session](
    update(Session)
    .where(SESSIONS.c.id == ROW_KEY)
    .values(hash=bindparam("new_hash"), proved_at=bindparam("moment", type_=UTCDateTime()))
)
_end = Statement[Session](delete(Session).where(SESSIONS.c.id == ROW_KEY))


@atomic
def start(
    origin: Actor,
    user: User,
    *,
    remember: bool,
    user_agent: str,
    with_factor: bool = False,
    known_device: bool = True,
) -> str:
    """Start a session for a user who has proved their identity, and return its secret.

    Mails the owner unless it is a `known_device` or the first sign-in of the account. Raises
    BadCredentials if the account was changed since, and OtpRequired if it has a second factor that
    was not proved.
    """
    authentication.hold(user)
    if not with_factor:
        factors.require_none(user.id)
    secret, moment = secret_tokens.make(), now()
    _insert.run(
        id=uuid7(),
        user_id=user.id,
        hash=secret_tokens.digest(secret),
        remembered=remember,
        address=origin.address,
        user_agent=user_agent[:USER_AGENT_MAX],
        created_at=moment,
        last_seen_at=moment,
        proved_at=None,
        expires_at=moment + (REMEMBERED_ABSOLUTE if remember else ABSOLUTE),
    )
    actor = origin.as_user(user.id)
    if not known_device and _signed_in_before.one(key=user.id) is not None:
        mails.notify(actor, user, "new_device")
    audit.record(actor, "session.created", user.id)
    return secret


def load(secret: str, origin: Actor = STRANGER) -> Actor | None:
    """Return the user of the session, at the address of `origin`, or None if it has ended."""
    row = _load.one(key=secret_tokens.digest(secret))
    moment = now()
    if row is None or row.expires_at <= moment:
        return None
    unused = moment - row.last_seen_at
    if unused > (REMEMBERED_IDLE if row.remembered else IDLE):
        return None
    if unused > SEEN_EVERY:
        _touch.run(key=row.id, moment=moment)
    actor = replace(
        origin,
        id=row.user_id,
        username=row.username,
        role=row.role,
        scopes=scopes_of(row.role),
        session_id=row.id,
        signed_in_at=row.proved_at or row.created_at,
        email_verified=row.email_verified,
    )
    return factors.restrict(actor)


@atomic
def renew(actor: Actor, *, proved: bool = False) -> str:
    """Replace the secret of the session in use and return the new one (ASVS 5.0, 7.2.4).

    `proved` is True if the owner has just proved their identity again.
    """
    secret = secret_tokens.make()
    moment = now() if proved else actor.signed_in_at
    _renew.run(key=actor.session_id, new_hash=secret_tokens.digest(secret), moment=moment)
    if proved:
        audit.record(actor, "session.proved", actor.id)
    return secret


@atomic
def end(actor: Actor) -> None:
    """End the session in use. Does nothing if it has ended, for instance with its account."""
    if _end.run(key=actor.session_id):
        audit.record(actor, "session.ended", actor.id)
