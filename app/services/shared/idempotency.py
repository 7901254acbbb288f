"""Requests with an Idempotency-Key: a repeated one is not run again and gets the first answer.

The first answer is stored in the transaction of its changes: neither is stored without the other.
Failures are not stored, because they changed nothing.
(draft-ietf-httpapi-idempotency-key-header-07)
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, insert, select

from app.errors import IdempotencyKeyReused, StillRunning
from app.models import IDEMPOTENCY_RECORDS, IdempotencyRecord
from app.models.idempotency_record import KEPT
from app.models.types import UTCDateTime, now
from app.services.shared import advisory_locks
from app.services.shared.actor import Actor
from app.sql import ROW_KEY, Statement, atomic

_mine = (IdempotencyRecord.user_id == bindparam("user_id"), IdempotencyRecord.key == ROW_KEY)
_start = bindparam("start", type_=UTCDateTime())
_kept = Statement[IdempotencyRecord](
    select(*IDEMPOTENCY_RECORDS.c).where(*_mine, IdempotencyRecord.created_at > _start),
    prepared=True,
)
_forget = Statement[IdempotencyRecord](delete(IdempotencyRecord).where(*_mine), prepared=True)
_insert = Statement[IdempotencyRecord](insert(IDEMPOTENCY_RECORDS), prepared=True)


@dataclass(slots=True, frozen=True)
class Answer:
    status: int
    headers: dict[str, Any]
    body: str


@atomic
def run_once(
    actor: Actor, key: str, fingerprint: str, use_case: Callable[[], Answer], *, wait: bool = False
) -> tuple[Answer, bool]:
    """Return the answer to the request, and True if the request is a repeated one.

    Raises StillRunning while the first request is being processed, unless `wait` is True,
    IdempotencyKeyReused if `fingerprint` (of method, path and payload) differs from the first
    one's, and the errors of `use_case`.
    """
    lock = f"idempotency {actor.id} {key}"
    if wait:
        advisory_locks.wait(lock)
    elif not advisory_locks.take(lock):
        raise StillRunning("A request with this Idempotency-Key is still being processed.")
    record = _kept.one(user_id=actor.id, key=key, start=now() - KEPT)
    if record is not None:
        if record.fingerprint != fingerprint:
            raise IdempotencyKeyReused(
                "This Idempotency-Key was already used for a different request."
            )
        return Answer(record.status, record.headers, record.body), True
    answer = use_case()
    _forget.defer(user_id=actor.id, key=key)
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
