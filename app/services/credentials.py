"""What proves who you are after signing in (tokens, page sessions, links), and the end of it."""

from sqlalchemy import bindparam, delete

from app.models import Session, Token
from app.services.actor import Actor
from app.sql import KEY, Statement

_nobody = "00000000-0000-0000-0000-000000000000"
_tokens = Statement[Token](
    delete(Token).where(Token.user_id == KEY, Token.family_id != bindparam("kept"))
)
_sessions = Statement[Session](
    delete(Session).where(Session.user_id == KEY, Session.id != bindparam("kept"))
)
_pairs = Statement[Token](
    delete(Token).where(
        Token.user_id == KEY,
        Token.kind.in_(("access", "refresh")),
        Token.family_id != bindparam("kept"),
    )
)
_links = Statement[Token](delete(Token).where(Token.user_id == KEY, Token.kind == "reset"))


def end_all(user_id: str, but: Actor | None = None) -> None:
    """End every token, link and page session of the user, the one in use by `but` excepted."""
    _tokens.run(key=user_id, kept=(but and but.family_id) or _nobody)
    _sessions.run(key=user_id, kept=(but and but.session_id) or _nobody)


def end_sign_ins(user_id: str, but: Actor) -> None:
    """End all that signing in gave, on the pages and by the API, but what `but` uses now.

    What was made by hand stays: personal tokens and links.
    """
    _pairs.run(key=user_id, kept=but.family_id or _nobody)
    _sessions.run(key=user_id, kept=but.session_id or _nobody)


def void_links(user_id: str) -> None:
    """Links that set a new password are bound to the account as it was when they were made."""
    _links.run(key=user_id)
