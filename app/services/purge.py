"""Removes what has had its time: `flask purge`, to be run by a timer."""

from sqlalchemy import bindparam, delete

from app.models import IdempotencyRecord, Session, SignInAttempt, Task, Token
from app.models.idempotency_record import KEPT as IDEMPOTENCY_KEPT
from app.models.sign_in_attempt import KEPT as ATTEMPTS_KEPT
from app.models.types import UTCDateTime, now
from app.services import audit
from app.services.actor import SYSTEM
from app.services.tasks import PURGE_AFTER
from app.sql import Statement, atomic

_before = bindparam("before", type_=UTCDateTime())
_expired_tokens = Statement[Token](delete(Token).where(Token.expires_at < _before))
_expired_sessions = Statement[Session](delete(Session).where(Session.expires_at < _before))
_old_records = Statement[IdempotencyRecord](
    delete(IdempotencyRecord).where(IdempotencyRecord.created_at < _before)
)
_old_attempts = Statement[SignInAttempt](
    delete(SignInAttempt).where(SignInAttempt.created_at < _before)
)
_old_trash = Statement[Task](delete(Task).where(Task.deleted_at < _before).returning(Task.id))


def purge() -> dict[str, int]:
    """How many rows of each kind went. Each kind is a commit of its own."""
    moment = now()
    return {
        "tokens": _expired_tokens.run(before=moment),
        "sessions": _expired_sessions.run(before=moment),
        "idempotency records": _old_records.run(before=moment - IDEMPOTENCY_KEPT),
        "sign-in attempts": _old_attempts.run(before=moment - ATTEMPTS_KEPT),
        "tasks in the trash": _empty_trash(),
    }


@atomic
def _empty_trash() -> int:
    tasks = _old_trash.all(before=now() - PURGE_AFTER)
    for task in tasks:
        audit.record(SYSTEM, "task.purged", "task", task.id)
    return len(tasks)
