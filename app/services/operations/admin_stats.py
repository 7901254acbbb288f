"""Statistics for admins: all accounts and their sign-ins, or one account."""

from typing import Any

from sqlalchemy import BindParameter, bindparam, func, select

from app.models import AuditEvent, Session, Token, User
from app.models.types import UTCDateTime, now
from app.services.shared.actor import Actor
from app.services.shared.moments import last_days
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
    """Return statistics of all accounts, for an admin.

    {"accounts", "active", "admins" (active ones), "joined" (within the `days`), "days": [{"date",
    "sign_ins", "refused"}]}: the last `days` days in UTC, today last.
    """
    actor.require_admin()
    first, dates = last_days(days)
    accounts = _accounts.all()
    active = [row for row in accounts if row.is_active]
    counted = {(str(row.day), row.action): row.number for row in _daily.all(moment=first)}
    return {
        "accounts": sum(row.number for row in accounts),
        "active": sum(row.number for row in active),
        "admins": sum(row.number for row in active if row.role == "admin"),
        "joined": _joined.scalar(moment=first),
        "days": [
            {
                "date": date,
                "sign_ins": counted.get((date, SIGNED_IN), 0),
                "refused": counted.get((date, REFUSED), 0),
            }
            for date in dates
        ],
    }


def of_user(actor: Actor, user_id: str) -> dict[str, Any]:
    """Return statistics of one account, for an admin.

    {"sessions", "tokens", "last_sign_in"}: valid page sessions and valid personal tokens.
    """
    actor.require_admin()
    moment = now()
    return {
        "sessions": _sessions.scalar(key=user_id, moment=moment),
        "tokens": _tokens.scalar(key=user_id, moment=moment),
        "last_sign_in": _last.scalar(key=user_id),
    }
