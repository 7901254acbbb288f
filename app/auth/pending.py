"""The state between password and second factor, kept in the signed session cookie.

It grants access to the second-factor page only, and ends after 10 minutes or with a new password.
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
    """Store the pending sign-in; end the current session and clear the cookie's other values."""
    if page_user().session_id:
        sign_out()
    clear_session()
    ends = (now() + LIFE).timestamp()
    session[_NAME] = [user.id, ends, _fingerprint(user), remember]


def get() -> Pending | None:
    """Return the pending sign-in, or None."""
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
