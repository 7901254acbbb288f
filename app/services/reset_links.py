"""Links that set a new password: they work once, and within the hour."""

from sqlalchemy import bindparam, delete, select

from app.errors import VoidLink
from app.models import Token, User
from app.models.token import RESET_LIFE
from app.models.types import UTCDateTime, now, uuid7
from app.services import accounts, audit, credentials, passwords, secret_tokens, tokens, users
from app.services.actor import Actor
from app.sql import KEY, Statement, atomic

_works = (
    Token.hash == KEY,
    Token.kind == "reset",
    Token.expires_at > bindparam("moment", type_=UTCDateTime()),
)
_get = Statement[Token](select(Token.user_id).where(*_works))
_end = Statement[Token](delete(Token).where(*_works).returning(Token.user_id))


@atomic
def create(actor: Actor, user: User) -> str:
    """The secret of a link that sets a new password, once, within the hour; older ones are void."""
    credentials.hold(user.id)
    credentials.void_links(user.id)
    secret = tokens.add("reset", user.id, family_id=uuid7(), expires_at=now() + RESET_LIFE)
    audit.record(actor, "user.reset_requested", "user", user.id)
    return secret


def is_live(secret: str) -> bool:
    """Whether a link with this secret would work now."""
    return _get.one(key=secret_tokens.digest(secret), moment=now()) is not None


def follow(origin: Actor, secret: str, password: str) -> User:
    """Set a new password by a link, which is void after it. Raises VoidLink, Invalid."""
    row = _get.one(key=secret_tokens.digest(secret), moment=now())
    if row is None:
        raise _void()
    actor = origin.as_user(row.user_id)
    user = users.get(actor, row.user_id)
    passwords.check("password", password, user.username, user.email)
    _follow(actor, secret, passwords.hash_(password))
    return user


@atomic
def _follow(actor: Actor, secret: str, password_hash: str) -> None:
    credentials.hold(actor.id)
    if _end.one(key=secret_tokens.digest(secret), moment=now()) is None:
        raise _void()
    accounts.set_password_hash(actor, actor.id, password_hash)


def _void() -> VoidLink:
    return VoidLink("This link was used, replaced or is too old.")
