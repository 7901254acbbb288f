"""Statistics for admins: all accounts and their sign-ins, or one account."""

from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, bindparam, func, select

from app.models import AuditEvent, Session, Task, Token, User
from app.models.task import LIVE, STATUSES, TRASHED
from app.models.types import UTCDateTime, now
from app.services.shared.actor import Actor
from app.services.tasks import stats as task_stats
from app.sql import Statement

SIGNED_IN, REFUSED = "session.created", "session.refused"

_key: BindParameter[str] = bindparam("key")
_moment = bindparam("moment", type_=UTCDateTime())
_number = func.count().label("number")
_day = func.date(AuditEvent.created_at).label("day")

_accounts = Statement[Any](
    select(User.role, User.is_active, _number).group_by(User.role, User.is_active)
)
_joined = Statement[Any](select(_number).select_from(User).where(User.created_at >= _moment))
_daily = Statement[Any](
    select(_day, AuditEvent.action, _number)
    .where(AuditEvent.action.in_((SIGNED_IN, REFUSED)), AuditEvent.created_at >= _moment)
    .group_by(_day, AuditEvent.action)
)
_owned = Statement[Any](
    select(Task.status, _number).where(Task.owner_id == _key, LIVE).group_by(Task.status)
)
_trashed = Statement[Any](select(_number).select_from(Task).where(Task.owner_id == _key, TRASHED))
_assigned = Statement[Any](
    select(_number).select_from(Task).where(Task.assignee_id == _key, Task.owner_id != _key, LIVE)
)
_sessions = Statement[Any](
    select(_number)
    .select_from(Session)
    .where(Session.user_id == _key, Session.expires_at > _moment)
)
_tokens = Statement[Any](
    select(_number)
    .select_from(Token)
    .where(
        Token.user_id == _key,
        Token.kind == "personal",
        func.coalesce(Token.expires_at > _moment, True),
    )
)
_last = Statement[Any](
    select(func.max(AuditEvent.created_at).label("moment")).where(
        AuditEvent.actor_id == _key, AuditEvent.action == SIGNED_IN
    )
)


def overview(actor: Actor, days: int) -> dict[str, Any]:
    """Return statistics of the whole service, for an admin.

    The keys are those of task_stats.overview, with "sign_ins" and "refused" in each of its "days",
    and "accounts", "active", "admins" (active ones), "joined" (within the `days`).
    """
    figures = task_stats.overview(actor, days, everyone=True)
    first = datetime.fromisoformat(f"{figures['days'][0]['date']}T00:00:00+00:00")
    _add_sign_ins(figures["days"], first)
    accounts = _accounts.all()
    active = [row for row in accounts if row.is_active]
    return {
        **figures,
        "accounts": sum(row.number for row in accounts),
        "active": sum(row.number for row in active),
        "admins": sum(row.number for row in active if row.role == "admin"),
        "joined": _joined.scalar(moment=first),
    }


def _add_sign_ins(days: list[dict[str, Any]], first: datetime) -> None:
    counted = {(str(row.day), row.action): row.number for row in _daily.all(moment=first)}
    for day in days:
        day["sign_ins"] = counted.get((day["date"], SIGNED_IN), 0)
        day["refused"] = counted.get((day["date"], REFUSED), 0)


def of_user(actor: Actor, user_id: str) -> dict[str, Any]:
    """Return statistics of one account, for an admin.

    {"by_status": {}, "assigned", "trashed", "sessions", "tokens", "last_sign_in"}: its own tasks by
    status, tasks that others assigned to it, valid page sessions and valid personal tokens.
    """
    actor.require_admin()
    owned = {row.status: row.number for row in _owned.all(key=user_id)}
    moment = now()
    return {
        "by_status": {status: owned.get(status, 0) for status in STATUSES},
        "assigned": _assigned.scalar(key=user_id),
        "trashed": _trashed.scalar(key=user_id),
        "sessions": _sessions.scalar(key=user_id, moment=moment),
        "tokens": _tokens.scalar(key=user_id, moment=moment),
        "last_sign_in": _last.scalar(key=user_id),
    }
