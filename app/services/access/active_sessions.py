"""The active sign-ins of a user, in browsers and by the API: listed and ended.

`owner_id` is the user, by default the actor; another user takes an admin (ASVS 5.0, 7.5.2 and
7.4.5).
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, delete, or_, select

from app.errors import NotFound
from app.models import SESSIONS, TOKENS, Session, Token
from app.models.session import IDLE, REMEMBERED_IDLE
from app.models.types import now
from app.services.access import personal_tokens
from app.services.authentication import credentials
from app.services.shared import audit, paging
from app.services.shared.actor import Actor
from app.services.shared.paging import FIRST_PAGE, Page, PageRequest
from app.sql import ROW_KEY, Statement, atomic

_newer: Any = TOKENS.alias().c
_end_session = Statement[Session](
    delete(Session).where(SESSIONS.c.id == ROW_KEY, Session.user_id == bindparam("of_user"))
)
_end_family = Statement[Token](
    delete(Token).where(
        Token.family_id == ROW_KEY,
        Token.user_id == bindparam("of_user"),
        Token.kind.in_(("access", "refresh")),
    )
)


def in_browsers(
    actor: Actor,
    request: PageRequest = FIRST_PAGE,
    *,
    owner_id: str | None = None,
) -> Page[Session]:
    """Return the page sessions that have not expired, the last sign-in first."""
    moment = now()
    alive = [
        Session.user_id == actor.owner_or_self(owner_id),
        Session.expires_at > moment,
        Session.last_seen_at >= moment - REMEMBERED_IDLE,
        or_(Session.remembered, Session.last_seen_at >= moment - IDLE),
    ]
    return paging.read(Session, alive, request)


def by_api(
    actor: Actor,
    request: PageRequest = FIRST_PAGE,
    *,
    owner_id: str | None = None,
) -> Page[Token]:
    """Return the sign-ins by the API, each as its newest valid refresh token."""
    moment = now()
    newer = (
        select(_newer.id)
        .where(_newer.family_id == Token.family_id, _newer.id > Token.id, *_good(_newer, moment))
        .exists()
    )
    alive = [Token.user_id == actor.owner_or_self(owner_id), *_good(Token, moment), ~newer]
    return paging.read(Token, alive, request)


def _good(token: Any, moment: datetime) -> tuple[ColumnElement[bool], ...]:
    return (token.kind == "refresh", token.spent_at.is_(None), token.expires_at > moment)


@atomic
def end_session(actor: Actor, session_id: str, owner_id: str | None = None) -> None:
    """End a page session. Raises NotFound, Forbidden."""
    owner = actor.owner_or_self(owner_id)
    if not _end_session.run(key=session_id, of_user=owner):
        raise NotFound("There is no such session.")
    audit.record(actor, "session.ended", owner, {"session_id": [session_id, None]})


@atomic
def end_family(actor: Actor, family_id: str, owner_id: str | None = None) -> None:
    """End a sign-in by the API and delete its tokens. Raises NotFound, Forbidden."""
    owner = actor.owner_or_self(owner_id)
    credentials.hold(owner)  # serializes with a concurrent refresh
    if not _end_family.run(key=family_id, of_user=owner):
        raise NotFound("There is no such session.")
    audit.record(actor, "session.ended", owner, {"family_id": [family_id, None]})


@atomic
def end_others(actor: Actor, owner_id: str | None = None, *, with_tokens: bool = False) -> None:
    """End all page sessions and API sign-ins except the one in use.

    With `with_tokens` the personal tokens end too, except the one in use.
    """
    owner = actor.owner_or_self(owner_id)
    credentials.hold(owner)
    credentials.end_sign_ins(owner, except_for=actor)
    if with_tokens:
        personal_tokens.revoke_all(actor, owner, now())
    audit.record(actor, "session.others_ended", owner)
