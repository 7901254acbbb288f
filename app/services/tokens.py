"""Bearer tokens: the pair that signing in gives, its refreshing, personal ones, their end."""

import functools
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, bindparam, delete, insert, select, update

from app.errors import (
    InvalidGrant,
    InvalidToken,
    ReauthenticationRequired,
    VoidLink,
)
from app.models import Token, User
from app.models.token import (
    ACCESS_LIFE,
    REFRESH_GRACE,
    REFRESH_LIFE,
    RESET_LIFE,
    SCOPES,
)
from app.models.types import UTCDateTime, now, uuid7
from app.services import audit, credentials, passwords, secret_tokens, users
from app.services.actor import Actor, scopes_of
from app.sql import KEY, Statement, atomic

USED_EVERY = timedelta(minutes=1)  # the last use of a personal token is noted this often
RECENT = timedelta(minutes=15)  # how long a sign-in is proof enough to delete the account

_moment = bindparam("moment", type_=UTCDateTime())
_identify = Statement[Any](
    select(
        Token.id,
        Token.family_id,
        Token.scopes,
        Token.signed_in_at,
        Token.expires_at,
        Token.kind,
        Token.last_used_at,
        User.id.label("user_id"),
        User.username,
        User.role,
    )
    .join(User, User.id == Token.user_id)
    .where(Token.hash == KEY, Token.kind.in_(("access", "personal")), User.is_active)
)
_use = Statement[Token](
    update(Token).where(Token.__table__.c.id == KEY).values(last_used_at=_moment)
)
_insert = Statement[Token](insert(Token.__table__))  # type: ignore[arg-type]
# The account first, as in credentials.hold; shared, for those who refresh do not mind each other.
_hold_owner = Statement[User](
    select(User.id)
    .join(Token, Token.user_id == User.id)
    .where(Token.hash == KEY)
    .with_for_update(of=User, key_share=True)
)
_spend = Statement[Token](
    update(Token)
    .where(
        Token.hash == KEY,
        Token.kind == "refresh",
        Token.spent_at.is_(None),
        Token.expires_at > _moment,
        Token.user_id.in_(select(User.id).where(User.is_active)),
    )
    .values(spent_at=_moment)
    .returning(*Token.__table__.c)
)
_spent = Statement[Token](
    select(*Token.__table__.c).where(
        Token.hash == KEY, Token.kind == "refresh", Token.spent_at.is_not(None)
    )
)
_used_successor = Statement[Token](
    select(Token.id).where(Token.parent_id == KEY, Token.spent_at.is_not(None))
)
_end_family = Statement[Token](delete(Token).where(Token.family_id == KEY))
_end_link = Statement[Token](
    delete(Token)
    .where(and_(Token.hash == KEY, Token.kind == "reset", Token.expires_at > _moment))
    .returning(Token.user_id)
)
_link = Statement[Token](
    select(Token.user_id).where(
        Token.hash == KEY, Token.kind == "reset", Token.expires_at > _moment
    )
)


@dataclass(slots=True, frozen=True)
class Pair:
    """RFC 6749, 5.1. `expires_in` is the access token's life in seconds."""

    access_token: str
    refresh_token: str
    scope: str
    expires_in: int = int(ACCESS_LIFE.total_seconds())
    token_type: str = "Bearer"


def identify(token: str, address: str = "", request_id: str = "") -> Actor:
    """Who holds `token`, in one read. Raises InvalidToken."""
    row = None
    if secret_tokens.is_wellformed(token):
        row = _identify.one(key=secret_tokens.digest(token))
    if row is None or (row.expires_at is not None and row.expires_at <= now()):
        raise InvalidToken("The token is unknown, expired or revoked.")
    if row.kind == "personal":
        _note_use(row.id, row.last_used_at)
    return Actor(
        id=row.user_id,
        username=row.username,
        role=row.role,
        scopes=_held(row.scopes, row.role),
        token_id=row.id,
        family_id=row.family_id,
        signed_in_at=row.signed_in_at,
        address=address,
        request_id=request_id,
    )


def _note_use(token_id: str, last_used_at: datetime | None) -> None:
    """Not at each request: reading would be writing then."""
    moment = now()
    if last_used_at is None or moment - last_used_at > USED_EVERY:
        _use.run(key=token_id, moment=moment)


@functools.lru_cache(maxsize=1024)
def _held(scopes: str, role: str) -> frozenset[str]:
    """A right that was lost since the token was made is lost to the token as well."""
    return frozenset(scopes.split()) & scopes_of(role)


def sign_in(origin: Actor, identifier: str, password: str) -> Pair:
    """Raises BadCredentials."""
    user = users.authenticate(origin, identifier, password)
    return _open_family(origin, user)


@atomic
def _open_family(origin: Actor, user: User) -> Pair:
    users.hold(user)
    pair = _issue(user.id, uuid7(), now(), " ".join(_ordered(scopes_of(user.role))))
    audit.record(_as(origin, user.id), "session.created", "user", user.id)
    return pair


def refresh(origin: Actor, refresh_token: str) -> Pair:
    """A new pair for a refresh token, which is spent by it. Raises InvalidGrant.

    One that was spent before means that two hold it: the whole family ends, unless it is so fresh
    that a client may have sent it twice (RFC 9700, 4.14.2).
    """
    pair = _refreshed(origin, refresh_token)
    if pair is None:
        raise InvalidGrant("The refresh token is unknown, expired, spent or revoked.")
    return pair


@atomic
def _refreshed(origin: Actor, refresh_token: str) -> Pair | None:
    moment, key = now(), secret_tokens.digest(refresh_token)
    _hold_owner.one(key=key)
    old = _spend.one(key=key, moment=moment)
    if old is not None:
        return _issue(old.user_id, old.family_id, old.signed_in_at, old.scopes, old.id)
    spent = _spent.one(key=key)
    if spent is not None and _is_theft(spent, moment):
        _end_family.run(key=spent.family_id)
        audit.record(_as(origin, spent.user_id), "token.reused", "user", spent.user_id)
    return None


def _is_theft(spent: Token, moment: datetime) -> bool:
    assert spent.spent_at is not None
    return moment - spent.spent_at > REFRESH_GRACE or bool(_used_successor.one(key=spent.id))


@atomic
def logout(actor: Actor) -> None:
    """End the token in use, with all of its family, one that is being refreshed too."""
    credentials.hold(actor.id)
    _end_family.run(key=actor.family_id)
    audit.record(actor, "session.ended", "user", actor.id)


@atomic
def create_reset(actor: Actor, user: User) -> str:
    """The secret of a link that sets a new password, once, within the hour; older ones are void."""
    credentials.hold(user.id)
    credentials.void_links(user.id)
    secret = add("reset", user.id, family_id=uuid7(), expires_at=now() + RESET_LIFE)
    audit.record(actor, "user.reset_requested", "user", user.id)
    return secret


def is_reset(secret: str) -> bool:
    """Whether a link with this secret would work now."""
    return _link.one(key=secret_tokens.digest(secret), moment=now()) is not None


def reset_password(origin: Actor, secret: str, password: str) -> User:
    """Set a new password by a link, which is void after it. Raises VoidLink, Invalid."""
    row = _link.one(key=secret_tokens.digest(secret), moment=now())
    if row is None:
        raise _void_link()
    actor = _as(origin, row.user_id)
    user = users.get(actor, row.user_id)
    passwords.check("password", password, user.username, user.email)
    _use_link(actor, secret, passwords.hash_(password))
    return user


@atomic
def _use_link(actor: Actor, secret: str, password_hash: str) -> None:
    credentials.hold(actor.id)
    if _end_link.one(key=secret_tokens.digest(secret), moment=now()) is None:
        raise _void_link()
    users.set_password_hash(actor, actor.id, password_hash)


def _void_link() -> VoidLink:
    return VoidLink("This link was used, replaced or is too old.")


def need_recent(actor: Actor) -> None:
    """Raises ReauthenticationRequired unless the actor signed in within the last 15 minutes."""
    if actor.signed_in_at is None or now() - actor.signed_in_at > RECENT:
        raise ReauthenticationRequired("Log in again to do that.")


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
    access = add("access", user_id, **shared, expires_at=now() + ACCESS_LIFE)
    life = now() + REFRESH_LIFE
    refresh = add("refresh", user_id, **shared, expires_at=life, parent_id=parent_id)
    return Pair(access, refresh, scopes)


def add(kind: str, user_id: str, *, token_id: str | None = None, **values: Any) -> str:
    """Store a new token, as a hash: its secret."""
    secret = secret_tokens.make()
    blank = dict.fromkeys(("parent_id", "signed_in_at", "last_used_at", "spent_at", "expires_at"))
    row = {**blank, "name": "", "scopes": "", **values}
    _insert.run(
        id=token_id or uuid7(),
        user_id=user_id,
        kind=kind,
        hash=secret_tokens.digest(secret),
        prefix=secret[: secret_tokens.SHOWN],
        created_at=now(),
        **row,
    )
    return secret


def _ordered(scopes: Collection[str]) -> list[str]:
    return [scope for scope in SCOPES if scope in scopes]


def _as(origin: Actor, user_id: str) -> Actor:
    return Actor(id=user_id, address=origin.address, request_id=origin.request_id)
