"""Lookup, locks and lists of accounts."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, bindparam, func, select

from app.models import USERS, User
from app.models.types import canonical_id
from app.models.user import USERNAME_PATTERN
from app.services.shared import like_patterns, paging, search_words
from app.services.shared.actor import Actor
from app.services.shared.existence import require_found
from app.services.shared.holder_records import HolderRecord
from app.services.shared.paging import FIRST_PAGE, Page, PageRequest
from app.sql import ROW_KEY, Statement

_by_id = Statement[User](select(*USERS.c).where(USERS.c.id == ROW_KEY))
_lock = Statement[User](
    select(*USERS.c).where(USERS.c.id == ROW_KEY).with_for_update(key_share=True)
)
_by_username = Statement[User](select(*USERS.c).where(func.lower(User.username) == ROW_KEY))
_by_email = Statement[User](select(*USERS.c).where(func.lower(User.email) == ROW_KEY))
_any = Statement[User](select(USERS.c.id).limit(1))
_named = USERS.alias("named")
HOLDER = HolderRecord(list(_named.c), _named.c.id == User.id)
BY_ID = HolderRecord(list(_named.c), _named.c.id == bindparam("user_id"))  # see `visible`
NAMES_MAX = 100  # ids in one request for names


@dataclass(frozen=True)
class PublicRecord:
    """The part of an account that every signed-in user may read."""

    id: str
    username: str
    created_at: datetime

    @property
    def version(self) -> str:
        """A version of these values only: the version of the account would reveal other changes."""
        values = f"{self.id} {self.username} {self.created_at}"
        return f"public-{hashlib.sha256(values.encode()).hexdigest()[:16]}"


def get(actor: Actor, user_id: str) -> User:
    """Return an account that the actor may see. Raises NotFound."""
    user = _by_id.one(key=user_id) if actor.is_admin or user_id == actor.id else None
    return require_found(user, "user")


def visible(actor: Actor, user_id: str, user: User | None = None) -> User | PublicRecord:
    """Return the account for its owner (scope profile:read) and admins, or its public part.

    `user` is the account itself if the caller has read it already. Raises NotFound.
    """
    user = require_found(user or _by_id.one(key=user_id), "user")
    if actor.is_admin or (user.id == actor.id and "profile:read" in actor.scopes):
        return user
    return PublicRecord(user.id, user.username, user.created_at)


def by_username(username: str) -> User:
    """Return the account with this username. Raises NotFound.

    Every signed-in user may ask: show `id`, `username` and `created_at` only.
    """
    plain = re.fullmatch(USERNAME_PATTERN, username)  # PostgreSQL rejects a NUL character
    return require_found(_by_username.one(key=username.lower()) if plain else None, "user")


def find(identifier: str) -> User | None:
    """Return the account with this id, email or username (case-insensitive), for admins."""
    # The id first: a user may choose the id of another account as a username.
    user_id = canonical_id(identifier.strip())
    user = _by_id.one(key=user_id) if user_id else None
    if user is not None:
        return user
    return by_name(identifier)


def by_name(identifier: str) -> User | None:
    """Return the account with this email or username (case-insensitive), or None."""
    identifier = identifier.strip().lower()
    return (_by_email if "@" in identifier else _by_username).one(key=identifier)


def page(
    actor: Actor,
    request: PageRequest = FIRST_PAGE,
    *,
    q: str | None = None,
    role: str | None = None,
    is_active: bool | None = None,
) -> Page[User]:
    """Return all accounts for an admin, the newest first. `q` is a part of username or email."""
    actor.require_admin()
    conditions: list[ColumnElement[bool]] = []
    if q:
        part = like_patterns.anywhere(search_words.fold(q))
        names = func.lower(User.username).like(part, escape="\\")
        conditions.append(names | func.lower(User.email).like(part, escape="\\"))
    if role is not None:
        conditions.append(User.role == role)
    if is_active is not None:
        conditions.append(User.is_active.is_(is_active))
    return paging.read(User, conditions, request)


def lock(user_id: str) -> User | None:
    """Lock the account until the commit and return it, or None."""
    return _lock.one(key=user_id)


def exists(user_id: str) -> bool:
    """Return True if an account has this id, active or not."""
    return _by_id.one(key=user_id) is not None


def is_empty() -> bool:
    """Return True if the database has no account."""
    return _any.one() is None
