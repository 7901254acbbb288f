"""What proves who you are after signing in (tokens, page sessions, links), and the end of it."""

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
# FOR NO KEY UPDATE: rows that refer to the account may come meanwhile, who holds it is alone.
_hold = Statement[User](
    select(User.id, User.email_verified)
    .where(USERS.c.id == ROW_KEY)
    .with_for_update(key_share=True)
)
_token = Statement[Token](select(Token.id).where(TOKENS.c.id == ROW_KEY))
_session = Statement[Session](select(Session.id).where(SESSIONS.c.id == ROW_KEY))


def hold(user_id: str) -> None:
    """Keep the account as it is until the commit.

    Lock the account before anything that belongs to it. Ending its credentials takes the locks in
    this order too, and another order would deadlock.
    """
    _hold.one(key=user_id)


def hold_confirmed(user_id: str) -> None:
    """Hold the account, and raise what require_confirmed raises.

    Nothing that lasts is added before the proof: it could outlive a change of owner.
    """
    user = _hold.one(key=user_id)
    if user is not None:
        require_confirmed(user)


def require_confirmed(user: User) -> None:
    """Raises EmailUnconfirmed if mail is set up and the address is unconfirmed."""
    if settings.current().has_mail and not user.email_verified:
        raise EmailUnconfirmed(
            "Confirm your email address first, by the link that was mailed to it."
        )


def require_live(actor: Actor, user_id: str, *, confirmed: bool = False) -> None:
    """Hold the account. Raises InvalidToken where what the actor came with has ended by now, and
    what hold_confirmed raises where the address has to be `confirmed`.

    Call it before a new credential is made, which would outlive the end of all the others.
    """
    (hold_confirmed if confirmed else hold)(user_id)
    for statement, key in ((_token, actor.token_id), (_session, actor.session_id)):
        if key is not None and statement.one(key=key) is None:
            raise InvalidToken("Your session or token has ended in the meantime.")


def end_all(user_id: str, except_for: Actor | None = None) -> None:
    """End every token, link and page session of the user, the one in use by `but` excepted."""
    _tokens.run(key=user_id, kept=(except_for and except_for.family_id) or NOBODY)
    _sessions.run(key=user_id, kept=(except_for and except_for.session_id) or NOBODY)
    void_links(user_id)


def end_sign_ins(user_id: str, except_for: Actor) -> None:
    """End all that signing in gave, on the pages and by the API, but what `but` uses now.

    What was made by hand stays: personal tokens and links.
    """
    _pairs.run(key=user_id, kept=except_for.family_id or NOBODY)
    _sessions.run(key=user_id, kept=except_for.session_id or NOBODY)


def void_links(user_id: str) -> None:
    """Links that were mailed are bound to the account as it was when they were made."""
    _links.run(key=user_id)
