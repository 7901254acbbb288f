"""Requests with an Idempotency-Key: a repeated one is not run again and gets the first answer.

The first answer is stored in the transaction of its changes: neither is stored without the other.
Failures are not stored, because they changed nothing.
(draft-ietf-httpapi-idempotency-key-header-07)
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, bindparam, delete, insert, literal_column, select

from app import sql
from app.errors import IdempotencyKeyReused, StillRunning
from app.models import IDEMPOTENCY_RECORDS, IdempotencyRecord
from app.models.idempotency_record import KEPT
from app.models.types import now
from app.services.shared import advisory_locks
from app.services.shared.actor import Actor
from app.sql import ROW_KEY, Statement, UniqueViolation, atomic

_PRIMARY_KEY = IDEMPOTENCY_RECORDS.primary_key.name
_mine = and_(IdempotencyRecord.user_id == bindparam("user_id"), IdempotencyRecord.key == ROW_KEY)
_kept = Statement[IdempotencyRecord](select(*IDEMPOTENCY_RECORDS.c).where(_mine), prepared=True)
# One row, with empty columns if there is no record.
_one_row = select(literal_column("1")).subquery("one_row")
_lock_and_read = Statement[Any](
    select(advisory_locks.taken(bindparam("lock")), *IDEMPOTENCY_RECORDS.c).select_from(
        _one_row.outerjoin(IDEMPOTENCY_RECORDS, _mine)
    ),
    prepared=True,
)
_forget = Statement[IdempotencyRecord](delete(IdempotencyRecord).where(_mine), prepared=True)
_insert = Statement[IdempotencyRecord](insert(IDEMPOTENCY_RECORDS), prepared=True)


@dataclass(slots=True, frozen=True)
class Answer:
    status: int
    headers: dict[str, Any]
    body: str


def run_once(
    actor: Actor, key: str, fingerprint: str, use_case: Callable[[], Answer], *, wait: bool = False
) -> tuple[Answer, bool]:
    """Return the answer to the request, and True if the request is a repeated one.

    Raises StillRunning while the first request is being processed, unless `wait` is True,
    IdempotencyKeyReused if `fingerprint` (of method, path and payload) differs from the first
    one's, and the errors of `use_case`.
    """
    try:
        return _run_once(actor, key, fingerprint, use_case, wait=wait)
    except UniqueViolation as error:
        if error.index != _PRIMARY_KEY:
            raise
        # The first request has ended between the read of its record and the lock: read it now.
        return _run_once(actor, key, fingerprint, use_case, wait=wait)


@atomic
def _run_once(
    actor: Actor, key: str, fingerprint: str, use_case: Callable[[], Answer], *, wait: bool
) -> tuple[Answer, bool]:
    record = _read(actor, key, wait=wait)
    if record is not None and record.created_at <= now() - KEPT:
        _forget.defer(user_id=actor.id, key=key)
    elif record is not None:
        if record.fingerprint != fingerprint:
            raise IdempotencyKeyReused(
                "This Idempotency-Key was already used for a different request."
            )
        return Answer(record.status, record.headers, record.body), True
    answer = use_case()
    _insert.defer(
        user_id=actor.id,
        key=key,
        fingerprint=fingerprint,
        status=answer.status,
        headers=answer.headers,
        body=answer.body,
        created_at=now(),
    )
    return answer, False


def _read(actor: Actor, key: str, *, wait: bool) -> IdempotencyRecord | None:
    """Return the record of the key, locked against other requests with the same key."""
    lock, mine = f"idempotency {actor.id} {key}", {"user_id": actor.id, "key": key}
    if wait or sql.request_connection().dialect.name != "postgresql":
        advisory_locks.wait(lock)
        return _kept.one(**mine)
    row: Any = _lock_and_read.one(lock=lock, **mine)
    if not row.got:
        raise StillRunning("A request with this Idempotency-Key is still being processed.")
    record: IdempotencyRecord | None = row if row.key is not None else None
    return record
