"""Accounts: registering, proving who you are, changing and removing them."""

import re
from collections.abc import Collection
from typing import Any

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import (
    ColumnElement,
    bindparam,
    delete as delete_,
    func,
    insert,
    select,
    update as update_,
)

from app import sql
from app.errors import (
    BadCredentials,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    PreconditionFailed,
)
from app.models import Task, User
from app.models.types import UTCDateTime, now, uuid7
from app.models.user import EMAIL_MAX, USERNAME_MAX, USERNAME_MIN, USERNAME_PATTERN
from app.services import audit, credentials, paging, passwords, throttle
from app.services.actor import Actor
from app.services.paging import Page
from app.services.preconditions import check
from app.sql import KEY, Duplicate, LostRace, Statement, atomic

EDITABLE = ("username", "email", "password_hash", "role", "is_active", "email_verified")
ADMIN_FIELDS = ("username", "email", "role", "is_active")

_table = User.__table__
_by_id = Statement[User](select(*_table.c).where(_table.c.id == KEY))
_lock = Statement[User](select(*_table.c).where(_table.c.id == KEY).with_for_update(key_share=True))
_by_username = Statement[User](select(*_table.c).where(func.lower(User.username) == KEY))
_by_email = Statement[User](select(*_table.c).where(func.lower(User.email) == KEY))
_insert = Statement[User](insert(_table).returning(*_table.c))  # type: ignore[arg-type]
_update = Statement[User](
    update_(User)
    .where(_table.c.id == KEY)
    .values({n: bindparam(f"new_{n}", type_=_table.c[n].type) for n in (*EDITABLE, "updated_at")})
    .values(version=_table.c.version + 1)
    .returning(*_table.c)
)
_rehash = Statement[User](
    update_(User)
    .where(_table.c.id == KEY, User.password_hash == bindparam("old"))
    .values(password_hash=bindparam("new"))
)
_delete = Statement[User](delete_(User).where(_table.c.id == KEY))
# Each waits for the others in the same order, so that two admins who remove each other cannot both.
_lock_admins = Statement[User](
    select(_table.c.id)
    .where(User.role == "admin", User.is_active)
    .order_by(User.id)
    .with_for_update(key_share=True)
)
_unassign = Statement[Task](
    update_(Task)
    .where(Task.assignee_id == KEY)
    .values(
        assignee_id=None,
        version=Task.version + 1,
        updated_at=bindparam("moment", type_=UTCDateTime()),
    )
    .returning(Task.id)
)
_any = Statement[User](select(_table.c.id).limit(1))


def register(actor: Actor, username: str, email: str, password: str, role: str = "user") -> User:
    """Open an account. Raises Invalid, Conflict with the field that is taken."""
    email = checked_email(email)
    _check_username(username)
    passwords.check("password", password, username, email)
    return _store(actor, username, email, passwords.hash_(password), role)


@atomic
def _store(actor: Actor, username: str, email: str, password_hash: str, role: str) -> User:
    moment = now()
    try:
        user = _insert.one(
            id=uuid7(),
            username=username,
            email=email,
            password_hash=password_hash,
            role=role,
            is_active=True,
            email_verified=False,
            created_at=moment,
            updated_at=moment,
            version=1,
        )
    except Duplicate as error:
        raise _taken(error) from error
    assert user is not None
    changes = {"username": [None, username], "email": [None, email], "role": [None, role]}
    audit.record(actor, "user.created", "user", user.id, changes)
    return user


def authenticate(actor: Actor, identifier: str, password: str) -> User:
    """The account, by email or username without case.

    Raises BadCredentials, audited, and TooManyRequests after too many of them.

    What is wrong (the user, the password, a deactivated account) shows in neither text nor time.
    """
    user = _by_name(identifier)
    account = throttle.account_of(user.id if user else None, identifier)
    throttle.check(account, actor.address)
    fits = passwords.verify(user.password_hash if user else None, password)
    if user is None or not fits or not user.is_active:
        _refuse(actor, user, account)
        raise BadCredentials("Wrong email, username or password.")
    throttle.settle(account, actor.address, succeeded=True)
    return _rehashed(user, password) if passwords.is_outdated(user.password_hash) else user


def _rehashed(user: User, password: str) -> User:
    new = passwords.hash_(password)
    _rehash.run(key=user.id, old=user.password_hash, new=new)
    kept = get(Actor(id=user.id), user.id)
    if kept.password_hash != new and not passwords.verify(kept.password_hash, password):
        raise BadCredentials("Wrong email, username or password.")  # it was changed meanwhile
    return kept


def hold(user: User) -> None:
    """Keep the account as it is until the commit. Raises BadCredentials where it is not as `user`.

    What starts after its password was changed or it was closed would outlive the end of all else.
    """
    kept = _lock.one(key=user.id)
    if kept is None or not kept.is_active or kept.password_hash != user.password_hash:
        raise BadCredentials("Wrong email, username or password.")


@atomic
def _refuse(actor: Actor, user: User | None, account: str) -> None:
    throttle.settle(account, actor.address, succeeded=False)
    audit.record(actor, "session.refused", "user", user.id if user else None)


def confirm(actor: Actor, password: str, field: str = "current_password") -> User:
    """The actor's account, once more by its password: guessing is counted like signing in.

    Raises Invalid, blaming `field`, and TooManyRequests.
    """
    user = get(actor, actor.id)
    account = throttle.account_of(user.id, "")
    throttle.check(account, actor.address)
    fits = passwords.verify(user.password_hash, password)
    throttle.settle(account, actor.address, succeeded=fits)
    if not fits:
        raise Invalid("The current password is wrong.", {field: "This is not your password."})
    return user


def get(actor: Actor, user_id: str) -> User:
    """Raises NotFound, also for an account that is not the actor's to see."""
    user = _by_id.one(key=user_id) if actor.is_admin or user_id == actor.id else None
    if user is None:
        raise _missing()
    return user


def by_username(username: str) -> User:
    """For anyone signed in, to be shown `id`, `username`, `created_at` only. Raises NotFound."""
    plain = re.fullmatch(USERNAME_PATTERN, username)  # a NUL is more than a database can take
    user = _by_username.one(key=username.lower()) if plain else None
    if user is None:
        raise _missing()
    return user


def find(identifier: str) -> User | None:
    """The account of this id, email or username, without case: for commands and admins."""
    # The id before the name: anybody may call themselves by the id of another.
    if re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", identifier.strip().lower()):
        user = _by_id.one(key=identifier.strip().lower())
        if user is not None:
            return user
    return _by_name(identifier)


def _by_name(identifier: str) -> User | None:
    identifier = identifier.strip().lower()
    return (_by_email if "@" in identifier else _by_username).one(key=identifier)


def page(
    actor: Actor,
    *,
    q: str | None = None,
    role: str | None = None,
    is_active: bool | None = None,
    limit: int = paging.LIMIT_DEFAULT,
    after: list[Any] | None = None,
    count: bool = False,
) -> Page[User]:
    """All accounts, the newest first, for an admin. `q` is a part of a username or an email."""
    actor.need_admin()
    conditions: list[ColumnElement[bool]] = []
    if q:
        part = q.lower().replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
        names = func.lower(User.username).like(f"%{part}%", escape="\\")
        conditions.append(names | func.lower(User.email).like(f"%{part}%", escape="\\"))
    if role is not None:
        conditions.append(User.role == role)
    if is_active is not None:
        conditions.append(User.is_active.is_(is_active))
    return paging.read(User, conditions, limit=limit, after=after, count=count)


def update_self(
    actor: Actor,
    changes: dict[str, Any],
    current_password: str | None = None,
    expect: Collection[int] | None = None,
) -> User:
    """Change the actor's username, email or password; the last two need the current password.

    A new password ends every session and token but the one in use, with its family.
    """
    proof = None
    if "email" in changes or "password" in changes:
        if current_password is None:
            why = "Changing email or password needs the current password."
            raise Invalid(why, {"current_password": why})
        proof = confirm(actor, current_password)
    news: dict[str, Any] = {n: changes[n] for n in ("username", "email") if n in changes}
    if "password" in changes:
        names = {"username": actor.username, "email": proof.email if proof else "", **news}
        passwords.check("password", changes["password"], names["username"], names["email"])
        news["password_hash"] = passwords.hash_(changes["password"])
    return _update_self(actor, news, proof, expect)


@atomic
def _update_self(
    actor: Actor, news: dict[str, Any], proof: User | None, expect: Collection[int] | None
) -> User:
    user = _locked(actor.id, expect)
    if proof is not None and proof.password_hash != user.password_hash:
        raise PreconditionFailed("The password was changed in the meantime.")
    if "password_hash" in news:
        credentials.end_all(user.id, but=actor)
    if news.get("email", user.email) != user.email:
        credentials.void_links(user.id)
    return _write(actor, user, news)


@atomic
def update(
    actor: Actor, user_id: str, changes: dict[str, Any], expect: Collection[int] | None = None
) -> User:
    """Change any of ADMIN_FIELDS, as an admin. Raises Conflict where the last active admin goes.

    Deactivating ends every session and token of the account at once.
    """
    actor.need_admin()
    admins = _guarded_admins() if {"role", "is_active"} & changes.keys() else []
    user = _locked(user_id, expect)
    news = {name: value for name, value in changes.items() if name in ADMIN_FIELDS}
    if news.get("role", "admin") != "admin" or not news.get("is_active", True):
        _keep_one_admin(admins, user.id)
    if not news.get("is_active", True):
        credentials.end_all(user.id)
    if news.get("email", user.email) != user.email:
        credentials.void_links(user.id)
    return _write(actor, user, news)


@atomic
def delete(actor: Actor, user_id: str, expect: Collection[int] | None = None) -> None:
    """Remove the account: its own tasks go too, tasks that it was assigned lose the assignee."""
    if not actor.is_admin and actor.id != user_id:
        raise _missing()
    leaving = _by_id.one(key=user_id)
    guarded = leaving is not None and leaving.role == "admin"
    admins = _guarded_admins() if guarded else []
    user = _locked(user_id, expect)
    if user.role == "admin" and not guarded:  # promoted since: once more, the admins first
        raise LostRace("The account was changed meanwhile. Try again.")
    _keep_one_admin(admins, user.id)
    with sql.unhurried():  # thousands of tasks go with it
        for task in _unassign.all(key=user.id, moment=now()):
            changes = {"assignee_id": [user.id, None]}
            audit.record(actor, "task.updated", "task", task.id, changes)
        _delete.run(key=user.id)
    audit.record(actor, "user.deleted", "user", user.id, {"username": [user.username, None]})


@atomic
def set_password_hash(actor: Actor, user_id: str, password_hash: str) -> None:
    """Set it for somebody who came by a link, and end every session and token there is."""
    credentials.end_all(user_id)
    _write(actor, _locked(user_id, None), {"password_hash": password_hash})


def is_empty() -> bool:
    """Whether there is no account at all yet."""
    return _any.one() is None


def checked_email(email: str) -> str:
    """The address as it is kept: ASCII, the domain in lower case. Raises Invalid."""
    if len(email) > EMAIL_MAX:  # asked first: looking closer at a huge one takes long
        raise _long_email()
    try:
        valid = validate_email(email, check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError as error:
        raise Invalid("This email address cannot be used.", {"email": str(error)}) from error
    address = valid.ascii_email or ""
    if not address or len(address) > EMAIL_MAX:
        raise _long_email()
    return address


def _long_email() -> Invalid:
    why = f"Use at most {EMAIL_MAX} characters."
    return Invalid("This email address cannot be used.", {"email": why})


def _check_username(username: str) -> None:
    if not USERNAME_MIN <= len(username) <= USERNAME_MAX:
        why = f"Use {USERNAME_MIN} to {USERNAME_MAX} characters."
        raise Invalid("This username cannot be used.", {"username": why})
    if not re.fullmatch(USERNAME_PATTERN, username):
        why = "Use letters, digits, dots, hyphens and underscores only."
        raise Invalid("This username cannot be used.", {"username": why})


def _locked(user_id: str, expect: Collection[int] | None) -> User:
    user = _lock.one(key=user_id)
    if user is None:
        raise _missing()
    check(expect, user.version)
    return user


def _guarded_admins() -> list[str]:
    return [admin.id for admin in _lock_admins.all()]


def _keep_one_admin(admins: list[str], leaving: str) -> None:
    if admins == [leaving]:
        raise Conflict("The last active admin cannot be demoted, deactivated or deleted.")


def _write(actor: Actor, user: User, news: dict[str, Any]) -> User:
    """Store `news` over the locked `user`. Raises Invalid, Conflict for a name that is taken."""
    if "email" in news:
        news["email"] = checked_email(news["email"])
        if news["email"] != user.email:
            news["email_verified"] = False
    if "username" in news:
        _check_username(news["username"])
    news = {name: value for name, value in news.items() if value != getattr(user, name)}
    if not news:
        return user
    values = {f"new_{name}": news.get(name, getattr(user, name)) for name in EDITABLE}
    try:
        changed = _update.one(key=user.id, **values, new_updated_at=now())
    except Duplicate as error:
        raise _taken(error) from error
    assert changed is not None
    changes = {name: [getattr(user, name), value] for name, value in news.items()}
    if changes.pop("password_hash", None):
        audit.record(actor, "user.password_changed", "user", user.id)
    if changes:
        audit.record(actor, "user.updated", "user", user.id, changes)
    return changed


def _taken(error: Duplicate) -> Conflict:
    field = "email" if "email" in error.index else "username"
    return Conflict(f"This {field} is taken.", {field: f"This {field} is taken."})


def _missing() -> NotFound:
    return NotFound("There is no such user.")


def need_open(registration_open: bool) -> None:
    """Raises Forbidden where the settings close registration."""
    if not registration_open:
        raise Forbidden("Registration is closed.")
