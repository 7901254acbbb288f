"""Credentials after a sign-in (tokens, page sessions, links): checked and ended."""

from datetime import UTC, datetime

from sqlalchemy import bindparam, delete, select

from app import settings
from app.errors import EmailUnconfirmed, InvalidToken
from app.models import SESSIONS, TOKENS, USERS, OneTimeLink, Session, Token, User
from app.services.shared.actor import Actor
from app.sql import ROW_KEY, Statement

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
NOBODY = "00000000-0000-0000-0000-000000000000"
_tokens = Statement[Token](
    delete(Token).where(Token.user_id == ROW_KEY, Token.family_id != bindparam("kept"))
)
_sessions = Statement[Session](
    delete(Session).where(Session.user_id == ROW_KEY, Session.id != bindparam("kept"))
)
_pairs = Statement[Token](
    delete(Token).where(
        Token.user_id == ROW_KEY,
        Token.kind.in_(("access", "refresh")),
        Token.family_id != bindparam("kept"),
    )
)
_links = Statement[OneTimeLink](delete(OneTimeLink).where(OneTimeLink.user_id == ROW_KEY))
# FOR NO KEY UPDATE: excludes other holders, but not inserts of rows that refer to the account.
_hold = Statement[User](
    select(User.id, User.email_verified)
    .where(USERS.c.id == ROW_KEY)
    .with_for_update(key_share=True)
)
_token = Statement[Token](select(Token.id).where(TOKENS.c.id == ROW_KEY))
_session = Statement[Session](select(Session.id).where(SESSIONS.c.id == ROW_KEY))


def hold(user_id: str) -> None:
    """Lock the account until the commit.

    Lock the account before any row that belongs to it: the end of its credentials takes the locks
    in this order too, and another order would deadlock.
    """
    _hold.one(key=user_id)


def hold_confirmed(user_id: str) -> None:
    """Lock the account. Raises EmailUnconfirmed as require_confirmed does.

    No lasting credential is added before the proof of the address: it could outlive a change of
    owner.
    """
    user = _hold.one(key=user_id)
    if user is not None:
        require_confirmed(user)


def require_confirmed(user: User) -> None:
    """Raise EmailUnconfirmed if mail is set up and the address is unconfirmed."""
    if settings.current().has_mail and not user.email_verified:
        raise EmailUnconfirmed("Confirm your email address first, by the link in the mail.")


def require_live(actor: Actor, user_id: str, *, confirmed: bool = False) -> None:
    """Lock the account. Raises InvalidToken if the actor's token or session has ended.

    With `confirmed` it also raises EmailUnconfirmed as hold_confirmed does. Call it before the
    creation of a credential, which would survive the end of all the others.
    """
    (hold_confirmed if confirmed else hold)(user_id)
    for statement, key in ((_token, actor.token_id), (_session, actor.session_id)):
        if key is not None and statement.one(key=key) is None:
            raise InvalidToken("Your session or token has ended in the meantime.")


def end_all(user_id: str, except_for: Actor | None = None) -> None:
    """End every token, link and page session of the user, except those `except_for` uses."""
    _tokens.run(key=user_id, kept=(except_for and except_for.family_id) or NOBODY)
    _sessions.run(key=user_id, kept=(except_for and except_for.session_id) or NOBODY)
    void_links(user_id)


def end_sign_ins(user_id: str, except_for: Actor) -> None:
    """End every page session and token pair of the user, except those `except_for` uses.

    Personal tokens and links stay valid.
    """
    _pairs.run(key=user_id, kept=except_for.family_id or NOBODY)
    _sessions.run(key=user_id, kept=except_for.session_id or NOBODY)


def void_links(user_id: str) -> None:
    """Void the one-time links of the user: each is bound to an earlier state of the account."""
    _links.run(key=user_id)
