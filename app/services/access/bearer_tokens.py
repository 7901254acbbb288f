"""Bearer tokens of every kind: their lookup and their storage."""

import functools
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, insert, join, select, update

from app.errors import InvalidToken
from app.models import TOKENS, Token, User
from app.models.types import UTCDateTime, now, uuid7
from app.services.authentication import secret_tokens
from app.services.factors import factors
from app.services.shared.actor import Actor, scopes_of
from app.services.shared.holder_records import HolderRecord
from app.sql import ROW_KEY, Statement, row_type

USED_EVERY = timedelta(minutes=1)  # between two updates of a personal token's last use

_holder = (
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
_held_by = join(Token, User, User.id == Token.user_id)
_valid = (Token.hash == ROW_KEY, Token.kind.in_(("access", "personal")), User.is_active)
_identify = Statement[Any](select(*_holder).select_from(_held_by).where(*_valid), prepared=True)
_use = Statement[Token](
    update(Token)
    .where(TOKENS.c.id == ROW_KEY)
    .values(last_used_at=bindparam("moment", type_=UTCDateTime()))
)
_insert = Statement[Token](insert(TOKENS))


def identify(token: str, address: str = "", request_id: str = "") -> Actor:
    """Return the holder of `token`, read by one statement. Raises InvalidToken."""
    return _actor(_read(token, _identify), address, request_id)


class HolderStatement:
    """A statement that reads the holder of a token and a record that the holder may see."""

    def __init__(self, record: HolderRecord) -> None:
        columns = [column.label(f"record_{column.key}") for column in record.columns]
        found_with = _held_by.outerjoin(record.columns[0].table, record.condition)
        query = select(*_holder, *columns).select_from(found_with).where(*_valid)
        self._statement = Statement[Any](query, prepared=True)
        self._record = row_type(record.columns)

    def identify(
        self, token: str, address: str, request_id: str, ids: dict[str, Any]
    ) -> tuple[Actor, Any]:
        """Return the holder of `token` and the record of `ids` or None. Raises InvalidToken."""
        row = _read(token, self._statement, **ids)
        values = row[len(_holder) :]
        record = None if values[0] is None else self._record._make(values)
        return _actor(row, address, request_id), record


def _read(token: str, statement: Statement[Any], **values: Any) -> Any:
    row = None
    if secret_tokens.is_wellformed(token):
        row = statement.one(key=secret_tokens.digest(token), **values)
    if row is None or (row.expires_at is not None and row.expires_at <= now()):
        raise InvalidToken("The token is unknown, expired or revoked.")
    if row.kind == "personal":
        _note_use(row.id, row.last_used_at)
    return row


def _actor(row: Any, address: str, request_id: str) -> Actor:
    actor = Actor(
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
    return factors.restrict(actor)


def _note_use(token_id: str, last_used_at: datetime | None) -> None:
    """Update the last use, but not at each request: every read would become a write."""
    moment = now()
    if last_used_at is None or moment - last_used_at > USED_EVERY:
        _use.run(key=token_id, moment=moment)


@functools.lru_cache(maxsize=1024)
def _held(scopes: str, role: str) -> frozenset[str]:
    """Return the scopes that the role still has: a demotion applies to existing tokens."""
    return frozenset(scopes.split()) & scopes_of(role)


def add(kind: str, user_id: str, *, token_id: str | None = None, **values: Any) -> str:
    """Store the hash of a new token and return its secret."""
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
