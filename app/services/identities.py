"""Accounts elsewhere that sign in here: whose account here is opened by them, and from when on.

An address that a provider tells proves nothing about an account here that has the same one: only
its owner links the two, once signed in. So nobody who has a say at the provider gets into an
account, and nobody who registered with somebody else's address shares what they do.
"""

import re
import secrets
import unicodedata
from collections.abc import Iterator
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update

from app.errors import BadCredentials, Conflict, NotFound, NotLinked, SignInRefused
from app.models import Factor, Identity, User
from app.models.types import UTCDateTime, now, uuid7
from app.models.user import USERNAME_MAX, USERNAME_MIN
from app.services import (
    audit,
    authentication,
    credentials,
    mails,
    passwords,
    registration,
    throttle,
    users,
)
from app.services.actor import Actor
from app.services.openid import Person
from app.sql import KEY, Duplicate, Statement, atomic

TAKEN = "There is an account with your email address here."
TRIES = 8  # at a username that is free
_table = Identity.__table__
_found = Statement[Identity](
    select(*_table.c).where(
        Identity.issuer == bindparam("issuer"), Identity.subject == bindparam("subject")
    )
)
_of_user = Statement[Identity](
    select(*_table.c).where(Identity.user_id == KEY).order_by(Identity.created_at, _table.c.id)
)
_insert = Statement[Identity](insert(_table))  # type: ignore[arg-type]
_used = Statement[Identity](
    update(Identity)
    .where(_table.c.id == KEY)
    .values(email=bindparam("told"), last_used_at=bindparam("moment", type_=UTCDateTime()))
)
_delete = Statement[Identity](delete(Identity).where(_table.c.id == KEY))
_passkey = Statement[Any](
    select(Factor.id)
    .where(Factor.user_id == KEY, Factor.kind == "passkey", Factor.confirmed_at.is_not(None))
    .limit(1)
)


def enter(origin: Actor, person: Person, *, registration_open: bool) -> User:
    """Whose account it is that `person` opens: a new one, where nothing speaks against it.

    Raises BadCredentials for a deactivated one, audited, and NotLinked, which says what is missing.
    """
    user = _owner(person)
    if user is None:
        try:
            user = _open_account(origin, person, registration_open)
        except NotLinked:
            user = _owner(person)  # whom another request of theirs has made meanwhile
            if user is None:
                raise
    if not user.is_active:
        _refuse(origin, user.id, "deactivated")
        raise BadCredentials("Wrong email, username or password.")
    _note_use(origin, person)
    return user


def _owner(person: Person) -> User | None:
    found = _found.one(issuer=person.issuer, subject=person.subject)
    return users.get(Actor(id=found.user_id), found.user_id) if found else None


def _open_account(origin: Actor, person: Person, registration_open: bool) -> User:
    if why := _obstacle(person, registration_open):
        raise NotLinked(why)
    for username in _usernames(person):
        try:
            return _register(origin, person, username)
        except Conflict as error:
            if "username" not in error.fields:
                raise NotLinked(TAKEN) from error
    raise NotLinked("No username was free.")


def _obstacle(person: Person, registration_open: bool) -> str:
    """Why there can be no new account of theirs, "" where there can."""
    if not person.email:
        return "You told no email address there that can be used here."
    if users.by_name(person.email) is not None:
        return TAKEN
    if not person.email_verified:
        return "Your email address is not confirmed there."
    return "" if registration_open else "Registration is closed here."


@atomic
def _register(origin: Actor, person: Person, username: str) -> User:
    user = registration.store(
        origin, username, person.email, passwords.NO_PASSWORD, "user", email_verified=True
    )
    _add(origin.as_user(user.id), person)
    return user


def _usernames(person: Person) -> Iterator[str]:
    """What to call them: their own wish or the start of their address, then with digits behind."""
    wish = person.username.partition("@")[0] or person.email.partition("@")[0]
    plain = unicodedata.normalize("NFKD", wish).encode("ascii", "ignore").decode()
    base = re.sub(r"[^A-Za-z0-9._-]+", "-", plain).strip("-")[: USERNAME_MAX - 7]
    if len(base) >= USERNAME_MIN:
        yield base
    for _ in range(TRIES):
        yield f"{base or 'user'}-{secrets.randbelow(10**6):06}"


@atomic
def _note_use(origin: Actor, person: Person) -> None:
    found = _found.one(issuer=person.issuer, subject=person.subject)
    if found is not None:
        _used.run(key=found.id, told=person.email, moment=now())
        throttle.trust(throttle.account_of(found.user_id, ""), origin.address)


def need_patience(origin: Actor) -> None:
    """Raises TooManyRequests after too many refusals: asked before the provider is."""
    throttle.check(_nobody(), origin.address)


def refused(origin: Actor, error: SignInRefused) -> None:
    """Somebody came back with what proves nothing: counted like a wrong password."""
    _refuse(origin, None, error.why)


@atomic
def _refuse(origin: Actor, user_id: str | None, why: str) -> None:
    throttle.settle(_nobody(), origin.address, succeeded=False)
    audit.record(origin, "session.refused", "user", user_id, {"openid": [None, why]})


def _nobody() -> str:
    """An account that no other attempt is counted for: these count against the address alone."""
    return throttle.account_of(None, f"openid {uuid7()}")


def of_actor(actor: Actor) -> list[Identity]:
    """What signs in to the actor's account, the oldest first."""
    return _of_user.all(key=actor.id)


@atomic
def link(actor: Actor, person: Person) -> None:
    """Let `person` sign in to the actor's account from now on; again is no error.

    Raises ReauthenticationRequired, and Conflict where it signs in to another account.
    """
    authentication.need_recent(actor)
    credentials.need_live(actor, actor.id)
    found = _found.one(issuer=person.issuer, subject=person.subject)
    if found is None:
        _add(actor, person)
        mails.notify(actor, users.get(actor, actor.id), "identity_linked")
    elif found.user_id != actor.id:
        raise _taken()


@atomic
def unlink(actor: Actor, identity_id: str) -> None:
    """Raises ReauthenticationRequired, NotFound, and Conflict where no way to sign in is left."""
    authentication.need_recent(actor)
    credentials.need_live(actor, actor.id)
    linked = of_actor(actor)
    found = next((identity for identity in linked if identity.id == identity_id), None)
    if found is None:
        raise NotFound("There is no such linked account.")
    user = users.get(actor, actor.id)
    if not user.password_hash and len(linked) == 1 and _passkey.one(key=actor.id) is None:
        raise Conflict("You could not log in any more: set a password first, or add a passkey.")
    _delete.run(key=identity_id)
    changes = {"issuer": [found.issuer, None], "subject": [found.subject, None]}
    audit.record(actor, "identity.unlinked", "user", actor.id, changes)
    mails.notify(actor, user, "identity_unlinked")


def _add(actor: Actor, person: Person) -> None:
    moment = now()
    try:
        _insert.run(
            id=uuid7(),
            user_id=actor.id,
            issuer=person.issuer,
            subject=person.subject,
            email=person.email,
            created_at=moment,
            last_used_at=None,
        )
    except Duplicate as error:
        raise _taken() from error
    changes = {"issuer": [None, person.issuer], "subject": [None, person.subject]}
    audit.record(actor, "identity.linked", "user", actor.id, changes)


def _taken() -> Conflict:
    return Conflict("That account is linked to another one here. Unlink it there first.")
