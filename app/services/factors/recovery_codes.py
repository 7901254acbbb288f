"""Recovery codes: each works once in place of a lost factor and is shown only when it is created.

A code has 120 random bits, so that a plain hash protects it (ASVS 5.0, 6.5.2: 112 or more).
"""

import base64
import hashlib
import secrets
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select, update

from app.errors import Conflict
from app.models import RECOVERY_CODES, Factor, RecoveryCode
from app.models.types import UTCDateTime, now, uuid7
from app.services.authentication import authentication, credentials
from app.services.outbox import mails
from app.services.shared import audit
from app.services.shared.actor import Actor
from app.services.users import users
from app.sql import ROW_KEY, Statement, atomic

NUMBER = 10
BYTES, GROUP = 15, 6  # 24 characters of base 32, in readable groups

_insert = Statement[RecoveryCode](insert(RECOVERY_CODES))
_delete = Statement[RecoveryCode](delete(RecoveryCode).where(RecoveryCode.user_id == ROW_KEY))
_spend = Statement[RecoveryCode](
    update(RecoveryCode)
    .where(
        RecoveryCode.hash == ROW_KEY,
        RecoveryCode.user_id == bindparam("of_user"),
        RecoveryCode.used_at.is_(None),
    )
    .values(used_at=bindparam("moment", type_=UTCDateTime()))
)


_spent = Statement[RecoveryCode](
    select(RecoveryCode.id).where(
        RecoveryCode.hash == ROW_KEY,
        RecoveryCode.user_id == bindparam("of_user"),
        RecoveryCode.used_at.is_not(None),
    )
)


_left = Statement[Any](
    select(func.count().label("number")).where(
        RecoveryCode.user_id == ROW_KEY, RecoveryCode.used_at.is_(None)
    )
)
_any_factor = Statement[Factor](
    select(Factor.id).where(Factor.user_id == ROW_KEY, Factor.confirmed_at.is_not(None)).limit(1)
)


def left(user_id: str) -> int:
    """Return the number of unused codes of the account."""
    count: int = _left.scalar(key=user_id)
    return count


def make(user_id: str) -> list[str]:
    """Replace the codes of the account and return the new ones. The caller locks the account."""
    _delete.run(key=user_id)
    codes = [_new() for _ in range(NUMBER)]
    for code in codes:
        made = {"id": uuid7(), "created_at": now(), "used_at": None}
        _insert.run(**made, user_id=user_id, hash=digest(code))
    return codes


def remove(user_id: str) -> None:
    _delete.run(key=user_id)


def spend(actor: Actor, code: str) -> bool:
    """Spend a code. Return False if it is not an unused code of the actor."""
    if not _spend.run(key=digest(code), of_user=actor.id, moment=now()):
        return False
    audit.record(actor, "recovery_code.used", actor.id)
    mails.notify(actor, users.get(actor, actor.id), "recovery_code_used")
    return True


def was_spent(user_id: str, code: str) -> bool:
    """Return True if the code belongs to the account and was used before."""
    return _spent.one(key=digest(code), of_user=user_id) is not None


def renew(actor: Actor, current_password: str | None) -> list[str]:
    """Replace the actor's codes and return the new ones.

    Raises InvalidToken, Conflict if the account has no factor, and the errors of
    authentication.again.
    """
    authentication.again(actor, current_password)
    return _renew(actor)


@atomic
def _renew(actor: Actor) -> list[str]:
    credentials.require_live(actor, actor.id)
    if _any_factor.one(key=actor.id) is None:
        raise Conflict("Set up a second factor first: recovery codes replace a lost one.")
    audit.record(actor, "recovery_codes.made", actor.id)
    mails.notify(actor, users.get(actor, actor.id), "recovery_codes_made")
    return make(actor.id)


def digest(code: str) -> str:
    """Return the SHA-256 of the code in hexadecimal, for any spelling of the code."""
    return hashlib.sha256(plain(code).encode()).hexdigest()


def plain(code: str) -> str:
    """Return the code in lower case, without separators."""
    return "".join(code.split()).replace("-", "").lower()


def _new() -> str:
    text = base64.b32encode(secrets.token_bytes(BYTES)).decode().lower()
    return "-".join(text[start : start + GROUP] for start in range(0, len(text), GROUP))
