"""Mails about personal tokens: notice of a new one, and warning before the expiry."""

from typing import Any

from sqlalchemy import bindparam, select

from app import settings
from app.models import TOKENS, OutboxEntry, Token, User
from app.models.token import WARNED_BEFORE
from app.models.types import now
from app.models.user import has_address
from app.services.outbox import mails, outbox
from app.services.shared.actor import Actor
from app.sql import ROW_KEY, Statement

ENDING = "token_ending"

_owned = Statement[Any](
    select(Token.name, Token.prefix, Token.scopes, Token.expires_at, User.email, User.username)
    .join(User, User.id == Token.user_id)
    .where(TOKENS.c.id == ROW_KEY, Token.kind == "personal", User.is_active)
    .where(User.id == bindparam("user_id"))
)


def made(actor: Actor, user: User, token: Token) -> None:
    """Notify the owner of a new token, and queue the warning before its expiry."""
    mails.notify(actor, user, "token_created", details=_facts(token))
    ends = token.expires_at
    if settings.current().has_mail and ends is not None and ends - WARNED_BEFORE > now():
        payload = {"token_id": token.id}
        request_id, due = actor.request_id, ends - WARNED_BEFORE
        outbox.add("mail", ENDING, payload, user_id=user.id, request_id=request_id, run_at=due)


def warning(entry: OutboxEntry) -> dict[str, Any] | None:
    """Return the payload of the warning, or None if the token is gone or the owner gets no mail."""
    token = _owned.one(key=entry.payload["token_id"], user_id=entry.user_id)
    if token is None or not has_address(token.email):
        return None
    return {
        "to": token.email,
        "username": token.username,
        "by_owner": False,
        "by_admin": False,
        "address": "",
        "details": _facts(token),
    }


def _facts(token: Any) -> list[str]:
    ends = token.expires_at
    return [
        f"Name: {token.name}",
        f"Begins with: {token.prefix}",
        f"Scopes: {token.scopes.replace(' ', ', ')}",
        f"Ends: {ends.strftime('%d %b %Y, %H:%M')} UTC" if ends else "Ends: never",
    ]
