"""Personal access tokens: a user creates them for a program, with its scopes and an expiry."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, select

from app import settings
from app.errors import Forbidden, Invalid
from app.faults import Code, Fault
from app.models import TOKENS, Token, User
from app.models.registry import SCOPES
from app.models.token import DAYS, NAME_MAX
from app.models.types import UTCDateTime, now, uuid7
from app.services.access import bearer_tokens, token_mails
from app.services.authentication import authentication, credentials
from app.services.outbox import mails
from app.services.shared import audit, paging, text_rules
from app.services.shared.actor import Actor, scopes_of
from app.services.shared.existence import require_found
from app.services.shared.paging import FIRST_PAGE, Page, PageRequest
from app.services.shared.preconditions import Expect, check
from app.sql import ROW_KEY, Statement, atomic

_one = (
    TOKENS.c.id == ROW_KEY,
    Token.kind == "personal",
    Token.user_id == bindparam("user_id"),
)
_get = Statement[Token](select(*TOKENS.c).where(*_one))
_lock = Statement[Token](select(*TOKENS.c).where(*_one).with_for_update())
_delete = Statement[Token](delete(Token).where(*_one))
_delete_older = Statement[Token](
    delete(Token)
    .where(
        Token.user_id == ROW_KEY,
        Token.kind == "personal",
        Token.created_at <= bindparam("before", type_=UTCDateTime()),
        Token.created_at >= bindparam("since", type_=UTCDateTime()),
        TOKENS.c.id != bindparam("used"),
    )
    .returning(Token.id, Token.name)
)


def page(
    actor: Actor,
    request: PageRequest = FIRST_PAGE,
    *,
    owner_id: str | None = None,
) -> Page[Token]:
    """Return the tokens of the actor or, for an admin, of `owner_id`, the newest first."""
    conditions = [Token.user_id == actor.owner_or_self(owner_id), Token.kind == "personal"]
    return paging.read(Token, conditions, request)


def page_of_all(
    actor: Actor,
    request: PageRequest = FIRST_PAGE,
    *,
    owner_id: str | None = None,
    scope: str | None = None,
) -> Page[Token]:
    """Return all users' tokens for an admin, the newest first, filtered by owner and scope."""
    actor.require_admin()
    conditions = [Token.kind == "personal"]
    if owner_id is not None:
        conditions.append(Token.user_id == owner_id)
    if scope is not None:
        conditions.append(Token.scopes.contains(scope, autoescape=True))
    return paging.read(Token, conditions, request)


def get(actor: Actor, token_id: str) -> Token:
    """Return one of the actor's tokens. Raises NotFound."""
    return require_found(_get.one(key=token_id, user_id=actor.id), "token")


@atomic
def create(
    actor: Actor,
    user: User,
    name: str,
    scopes: Collection[str],
    expires_at: datetime | None = None,
) -> tuple[Token, str]:
    """Create a token of `user`, mail the owner, and return it with its secret, shown only once.

    Without `expires_at` it expires after DAYS, or never if PERSONAL_TOKEN_MAX_DAYS is 0. Raises
    Invalid, InvalidToken, EmailUnconfirmed, Forbidden for a scope that actor or user does not have,
    and ReauthenticationRequired unless the actor signed in within 15 minutes, which a personal
    token never has. A command on the machine needs no sign-in.
    """
    name = text_rules.name(name, NAME_MAX)
    if not scopes or not set(SCOPES).issuperset(scopes):
        fault = Fault(Code.NOT_A_CHOICE, f"Use some of {', '.join(SCOPES)}.")
        raise Invalid("One of the values is not valid.", {"scopes": fault})
    if missing := set(scopes) - (actor.scopes & scopes_of(user.role)):
        raise Forbidden(f"You cannot grant: {', '.join(sorted(missing))}.")
    is_command = not actor.id
    if not is_command:
        authentication.require_recent(actor)
    credentials.require_live(actor, user.id, confirmed=not is_command)
    expires_at = _end(expires_at)
    token_id, scope_text = uuid7(), " ".join(scope for scope in SCOPES if scope in scopes)
    values = {"family_id": token_id, "token_id": token_id, "name": name, "scopes": scope_text}
    secret = bearer_tokens.add("personal", user.id, **values, expires_at=expires_at)
    changes = {"name": [None, name], "scopes": [None, scope_text], "user_id": [None, user.id]}
    audit.record(actor, "token.created", token_id, changes)
    token = require_found(_get.one(key=token_id, user_id=user.id), "token")
    token_mails.made(actor, user, token)
    return token, secret


def _end(asked: datetime | None) -> datetime | None:
    """Return the expiry of a new token for the requested `asked`. Raises Invalid."""
    days_max, moment = settings.current().personal_token_max_days, now()
    if asked is None:
        return moment + timedelta(days=min(DAYS, days_max)) if days_max else None
    if asked <= moment:
        raise _bad_end("Use a time in the future.")
    if days_max and asked > moment + timedelta(days=days_max):
        raise _bad_end(f"Use a time within {days_max} days from now.")
    return asked


def _bad_end(why: str) -> Invalid:
    return Invalid("One of the values is not valid.", {"expires_at": Fault(Code.OUT_OF_RANGE, why)})


def version(token: Token) -> int:
    """Return 1 plus the microseconds from creation to last use: nothing else of a token changes."""
    used_at = token.last_used_at or token.created_at
    return (used_at - token.created_at) // timedelta(microseconds=1) + 1


@atomic
def revoke(
    actor: Actor, token_id: str, expect: Expect = None, *, owner_id: str | None = None
) -> None:
    """Revoke a token of the actor or, as an admin, of `owner_id`, from the next request on.

    Raises NotFound, PreconditionFailed, Forbidden.
    """
    owner = actor.owner_or_self(owner_id)
    token = require_found(_lock.one(key=token_id, user_id=owner), "token")
    check(expect, version(token))
    _delete.run(key=token.id, user_id=owner)
    changes: audit.Changes = {"name": [token.name, None]}
    if owner != actor.id:
        changes["user_id"] = [owner, None]
    audit.record(actor, "token.revoked", token.id, changes)
    if owner != actor.id:
        mails.notify_owner(actor, owner, "token_revoked", details=[token.name])


@atomic
def revoke_all(
    actor: Actor, user_id: str, before: datetime, since: datetime = credentials.BEGINNING
) -> int:
    """Revoke the personal tokens created from `since` to `before`, except the one in use.

    Return their number.
    """
    older = _delete_older.all(
        key=user_id, before=before, since=since, used=actor.token_id or credentials.NOBODY
    )
    for token in older:
        audit.record(actor, "token.revoked", token.id, {"name": [token.name, None]})
    return len(older)
