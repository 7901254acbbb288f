"""All that is held on somebody, for them to take along (GDPR, articles 15 and 20)."""

from typing import Any

from sqlalchemy import BindParameter, bindparam, or_, select

from app.models import AuditEvent, Comment, Session, Task, Token
from app.services import users
from app.services.actor import Actor
from app.sql import Statement

_user: BindParameter[str] = bindparam("user_id")
_WITHHELD = frozenset({"hash", "password_hash", "label_keys", "parent_id", "family_id"})


def _of(model: Any, *conditions: Any) -> Statement[Any]:
    columns = [column for column in model.__table__.c if column.key not in _WITHHELD]
    return Statement(select(*columns).where(*conditions).order_by(model.created_at, model.id))


_STATEMENTS = {
    "tasks": _of(Task, or_(Task.owner_id == _user, Task.assignee_id == _user)),
    "comments": _of(Comment, Comment.author_id == _user),
    "tokens": _of(Token, Token.user_id == _user),
    "sessions": _of(Session, Session.user_id == _user),
    "audit_events": _of(
        AuditEvent, or_(AuditEvent.actor_id == _user, AuditEvent.target_id == _user)
    ),
}


def export(actor: Actor) -> dict[str, Any]:
    """{"user": {...}, "tasks": [...], ...}: every row, secrets and their hashes left out."""
    user: Any = users.get(actor, actor.id)
    rows = {name: found.all(user_id=actor.id) for name, found in _STATEMENTS.items()}
    return {
        "user": _plain(user),
        **{name: [_plain(row) for row in found] for name, found in rows.items()},
    }


def _plain(row: Any) -> dict[str, Any]:
    return {name: value for name, value in row._asdict().items() if name not in _WITHHELD}
