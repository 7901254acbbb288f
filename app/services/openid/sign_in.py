"""Coming in by an OpenID provider: to the account that is linked, or to a new one."""

import re
import secrets
import unicodedata
from collections.abc import Iterator

from app.errors import BadCredentials, Conflict, NotLinked, SignInRefused
from app.models import User
from app.models.types import uuid7
from app.models.user import USERNAME_MAX, USERNAME_MIN
from app.services.openid import group_roles, linked_accounts
from app.services.openid.person import Person
from app.services.shared import audit, throttle
from app.services.shared.actor import Actor
from app.services.users import passwords, registration, reserved_names, users
from app.sql import atomic

TAKEN = "There is an account with your email address here."
NAMELESS = "user"  # the name of somebody whose own one cannot be used
TRIES = 8  # at a username that is free


def enter(origin: Actor, person: Person, *, registration_open: bool) -> User:
    """Whose account it is that `person` opens: a new one, where nothing speaks against it.

    Raises BadCredentials for a deactivated one, audited, and NotLinked, which says what is missing.
    """
    user = linked_accounts.owner(person)
    if user is None:
        try:
            user = _open_account(origin, person, registration_open)
        except NotLinked:
            user = linked_accounts.owner(
                person
            )  # whom another request of theirs has made meanwhile
            if user is None:
                raise
    if not user.is_active:
        _refuse(origin, user.id, "deactivated")
        raise BadCredentials("Wrong email, username or password.")
    linked_accounts.note_use(origin, person)
    group_roles.follow(origin, user, person)
    return user


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
    linked_accounts.add(origin.as_user(user.id), person)
    return user


def _usernames(person: Person) -> Iterator[str]:
    """What to call them: their own wish or the start of their address, then with digits behind."""
    wish = person.username.partition("@")[0] or person.email.partition("@")[0]
    plain = unicodedata.normalize("NFKD", wish).encode("ascii", "ignore").decode()
    base = re.sub(r"[^A-Za-z0-9._-]+", "-", plain).strip("-")[: USERNAME_MAX - 7]
    if reserved_names.is_reserved(base):
        base = ""
    if len(base) >= USERNAME_MIN:
        yield base
    for _ in range(TRIES):
        yield f"{base or NAMELESS}-{secrets.randbelow(10**6):06}"


def require_patience(origin: Actor) -> None:
    """Raises TooManyRequests after too many refusals: asked before the provider is."""
    throttle.check(_nobody(), origin.address)


def refused(origin: Actor, error: SignInRefused) -> None:
    """Somebody came back with what proves nothing: counted like a wrong password."""
    _refuse(origin, None, error.why)


@atomic
def _refuse(origin: Actor, user_id: str | None, why: str) -> None:
    throttle.settle(_nobody(), origin.address, succeeded=False)
    audit.record(origin, "session.refused", user_id, {"openid": [None, why]})


def _nobody() -> str:
    """An account that no other attempt is counted for: these count against the address alone."""
    return throttle.account_of(None, f"openid {uuid7()}")
