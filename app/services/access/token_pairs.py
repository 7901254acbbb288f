"""The pair of tokens of a sign-in by the API: issued, refreshed, ended."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, select, update

from app.errors import InvalidGrant
from app.models import TOKENS, Token, User
from app.models.registry import SCOPES
from app.models.token import ACCESS_LIFE, FAMILY_LIFE, REFRESH_GRACE, REFRESH_LIFE
from app.models.types import UTCDateTime, now, uuid7
from app.services.access import bearer_tokens
from app.services.authentication import authentication, credentials, secret_tokens
from app.services.factors import factors, verification
from app.services.shared import audit
from app.services.shared.actor import Actor, scopes_of
from app.sql import ROW_KEY, Statement, atomic

_moment = bindparam("moment", type_=UTCDateTime())
# Locks the account first, as credentials.hold does; shared, because refreshes do not conflict.
_hold_owner = Statement[User](
    select(User.id)
    .join(Token, Token.user_id == User.id)
    .where(Token.hash == ROW_KEY)
    .with_for_update(of=User, key_share=True)
)
_spend = Statement[Token](
    update(Token)
    .where(
        Token.hash == ROW_KEY,
        Token.kind == "refresh",
        Token.spent_at.is_(None),
        Token.expires_at > _moment,
        Token.user_id.in_(select(User.id).where(User.is_active)),
    )
    .values(spent_at=_moment)
    .returning(*TOKENS.c)
)
_spent = Statement[Token](
    select(*TOKENS.c).where(
        Token.hash == ROW_KEY,
        Token.kind == "refresh",
        Token.spent_at.is_not(None),
        Token.expires_at > _moment,
        Token.user_id.in_(select(User.id).where(User.is_active)),
    )
)
_end_family = Statement[Token](delete(Token).where(Token.family_id == ROW_KEY))


@dataclass(slots=True, frozen=True)
class Pair:
    """A token response (RFC 6749, 5.1). `expires_in` is the access token's life in seconds."""

    access_token: str
    refresh_token: str
    scope: str
    expires_in: int
    token_type: str = "Bearer"


def sign_in(origin: Actor, identifier: str, password: str, otp: str | None = None) -> Pair:
    """Sign in by a password and, if the account has a second factor, by `otp`.

    Raises BadCredentials, OtpRequired, BadOtp, TooManyRequests.
    """
    user = authentication.authenticate(origin, identifier, password)
    with_factor = otp is not None and factors.has(user.id)
    if with_factor:
        verification.prove(origin, user.id, otp or "")
    return _open_family(origin, user, with_factor=with_factor)


@atomic
def _open_family(origin: Actor, user: User, *, with_factor: bool) -> Pair:
    authentication.hold(user)
    if not with_factor:
        factors.require_none(user.id)
    pair = _issue(user.id, uuid7(), now(), " ".join(_ordered(scopes_of(user.role))))
    audit.record(origin.as_user(user.id), "session.created", user.id)
    return pair


def refresh(origin: Actor, refresh_token: str) -> Pair:
    """Spend a refresh token and return a new pair. Raises InvalidGrant.

    A token that was spent within REFRESH_GRACE gets another pair, so that parallel tabs and lost
    responses keep the sign-in. A later reuse means that two clients hold the token, and ends the
    family (RFC 9700, 4.14.2). A family expires FAMILY_LIFE after the sign-in.
    """
    pair = _refresh_in_transaction(origin, refresh_token)
    if pair is None:
        raise InvalidGrant("The refresh token is unknown, expired, spent or revoked.")
    return pair


@atomic
def _refresh_in_transaction(origin: Actor, refresh_token: str) -> Pair | None:
    moment, key = now(), secret_tokens.digest(refresh_token)
    _hold_owner.one(key=key)
    old = _spend.one(key=key, moment=moment) or _spent.one(key=key, moment=moment)
    if old is None:
        return None
    reused = old.spent_at is not None and moment - old.spent_at >= REFRESH_GRACE
    if reused:
        audit.record(origin.as_user(old.user_id), "token.reused", old.user_id)
    if reused or moment >= _end_of_family(old.signed_in_at):
        _end_family.run(key=old.family_id)
        return None
    return _issue(old.user_id, old.family_id, old.signed_in_at, old.scopes, old.id)


def _end_of_family(signed_in_at: datetime | None) -> datetime:
    assert signed_in_at is not None
    return signed_in_at + FAMILY_LIFE


@atomic
def logout(actor: Actor) -> None:
    """End the token in use and its family, including a pair that is being refreshed."""
    credentials.hold(actor.id)
    _end_family.run(key=actor.family_id)
    audit.record(actor, "session.ended", actor.id)


def _issue(
    user_id: str,
    family_id: str,
    signed_in_at: datetime | None,
    scopes: str,
    parent_id: str | None = None,
) -> Pair:
    shared: dict[str, Any] = {
        "family_id": family_id,
        "signed_in_at": signed_in_at,
        "scopes": scopes,
    }
    moment, end = now(), _end_of_family(signed_in_at)
    life = min(ACCESS_LIFE, end - moment)
    access = bearer_tokens.add("access", user_id, **shared, expires_at=moment + life)
    last = min(moment + REFRESH_LIFE, end)
    refresh = bearer_tokens.add("refresh", user_id, **shared, expires_at=last, parent_id=parent_id)
    return Pair(access, refresh, scopes, int(life.total_seconds()))


def _ordered(scopes: Collection[str]) -> list[str]:
    return [scope for scope in SCOPES if scope in scopes]
