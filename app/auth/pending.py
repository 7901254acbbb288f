"""Between the password and the second factor: who gave the password, in the signed cookie.

It opens nothing but the page that asks for the factor, and ends after 10 minutes or with a new
password.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from flask import session

from app.errors import NotFound
from app.models import User
from app.models.types import now
from app.services.users import users
from app.web.current_user import clear_session, origin, page_user, sign_out

LIFE = timedelta(minutes=10)
_NAME = "pending"


@dataclass(frozen=True)
class Pending:
    user: User
    remember: bool


def put(user: User, *, remember: bool) -> None:
    """Nothing else stays in the cookie, and nobody stays signed in."""
    if page_user().session_id:
        sign_out()
    clear_session()
    ends = (now() + LIFE).timestamp()
    session[_NAME] = [user.id, ends, _fingerprint(user), remember]


def get() -> Pending | None:
    """Who is half signed in, if anybody is."""
    user_id, ends, fingerprint, remember = session.get(_NAME, ("", 0, "", False))
    if ends <= now().timestamp():
        return None
    try:
        user = users.get(origin().as_user(user_id), user_id)
    except NotFound:
        return None
    return Pending(user, remember) if _fingerprint(user) == fingerprint else None


def _fingerprint(user: User) -> str:
    return hashlib.sha256(user.password_hash.encode()).hexdigest()[:32]
