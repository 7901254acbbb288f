"""Sign-in through an OpenID provider, to the linked account or to a new one."""

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
NAMELESS = "user"  # the base of the username if the preferred one is invalid
TRIES = 8  # of random usernames


def enter(origin: Actor, person: Person, *, registration_open: bool) -> User:
    """Return the account linked to `person`, or open a new one if that is allowed.

    Raises BadCredentials for a deactivated account, audited, and NotLinked with the reason.
    """
    user = linked_accounts.owner(person)
    if user is None:
        try:
            user = _open_account(origin, person, registration_open)
        except NotLinked:
            # A concurrent request of the same person may have opened the account.
            user = linked_accounts.owner(person)
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
    """Return the reason why `person` cannot have a new account, or ""."""
    if not person.email:
        return "The sign-in service sent no email address that can be used here."
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
    """Yield usernames from the preferred one or the address, then with random digits."""
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
    """Raise TooManyRequests after too many refusals. Call it before the calls to the provider."""
    throttle.check(_unique_account(), origin.address)


def refused(origin: Actor, error: SignInRefused) -> None:
    """Count and audit a refused sign-in like a wrong password."""
    _refuse(origin, None, error.why)


@atomic
def _refuse(origin: Actor, user_id: str | None, why: str) -> None:
    throttle.settle(_unique_account(), origin.address, succeeded=False)
    audit.record(origin, "session.refused", user_id, {"openid": [None, why]})


def _unique_account() -> str:
    """Return a unique counter key, so that refusals count against the network address only."""
    return throttle.account_of(None, f"openid {uuid7()}")
