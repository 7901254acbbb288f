"""Registration of accounts."""

from collections.abc import Callable

from sqlalchemy import insert

from app import settings
from app.errors import Conflict, Forbidden, Invalid, TooManyRequests
from app.faults import Fault
from app.models import USERS, User
from app.models.types import now, uuid7
from app.services.outbox import mail_limits, mails
from app.services.shared import audit, throttle
from app.services.shared.actor import Actor
from app.services.shared.client_networks import network_of
from app.services.users import identifiers, passwords, users
from app.sql import Statement, UniqueViolation, atomic

_insert = Statement[User](insert(USERS).returning(*USERS.c))


def require_open(registration_open: bool) -> None:
    """Raise Forbidden if the settings close registration."""
    if not registration_open:
        raise Forbidden("Registration is closed.")


def register(actor: Actor, username: str, email: str, password: str, role: str = "user") -> User:
    """Open an account and mail a link that confirms its address.

    Raises Invalid with every fault, including taken names, Conflict with every taken field if
    there is no other fault, and TooManyRequests.
    """
    address = _checked(actor, username, email, password)
    with throttle.few_taken_names(network_of(actor.address)):
        try:
            return _register(actor, username, address, passwords.hash_(password), role)
        except Conflict as error:
            fields = _taken(username=username, email=address) | error.fields
            raise Conflict(error.message, fields) from error


def taken(actor: Actor, **names: str) -> dict[str, Fault]:
    """Return a fault for each taken name, for a form that has another fault.

    `names` holds the valid ones of username and email. Return {} for a network that has tried too
    many taken names.
    """
    try:
        _refuse_taken(actor, **names)
    except Conflict as error:
        return dict(error.fields)
    except TooManyRequests:
        pass
    return {}


def _refuse_taken(actor: Actor, **names: str) -> None:
    with throttle.few_taken_names(network_of(actor.address)):
        if fields := _taken(**names):
            raise Conflict("The names are taken.", fields)


def _taken(**names: str) -> dict[str, Fault]:
    return {
        field: identifiers.taken_field(field).fields[field]
        for field, name in names.items()
        if users.by_name(name) is not None
    }


def _checked(actor: Actor, username: str, email: str, password: str) -> str:
    """Return the address in its stored form. Raises Invalid with every fault."""
    address = email

    def check_email() -> None:
        nonlocal address
        address = identifiers.checked_email(email)

    checks: tuple[Callable[[], None], ...] = (
        check_email,
        lambda: identifiers.check_own_username(actor, username),
        lambda: passwords.check("password", password, username, address),
    )
    faults = [error for check in checks if (error := _fault_of(check)) is not None]
    if faults:
        fields = {name: fault for error in faults for name, fault in error.fields.items()}
        names = {"username": username, "email": address}
        valid = {field: name for field, name in names.items() if field not in fields}
        raise Invalid(faults[0].message, fields | taken(actor, **valid))
    return address


def _fault_of(check: Callable[[], None]) -> Invalid | None:
    try:
        check()
    except Invalid as error:
        return error
    return None


@atomic
def _register(actor: Actor, username: str, email: str, password_hash: str, role: str) -> User:
    if actor.address and settings.current().limit_sign_ups:  # a command has no address
        throttle.count_sign_up(actor.address)
    user = store(actor, username, email, password_hash, role)
    if settings.current().has_mail and mail_limits.take("confirm", email.lower()):
        mails.send_link(actor, "confirm", user, user.email)
    return user


@atomic
def store(
    actor: Actor,
    username: str,
    email: str,
    password_hash: str,
    role: str,
    *,
    email_verified: bool = False,
) -> User:
    """Store a new account with checked names, and return it. Raises Conflict."""
    moment = now()
    try:
        user = _insert.one(
            id=uuid7(),
            username=username,
            email=email,
            password_hash=password_hash,
            role=role,
            role_from=None,
            is_active=True,
            email_verified=email_verified,
            created_at=moment,
            updated_at=moment,
            version=1,
            passkey_declined_at=None,
        )
    except UniqueViolation as error:
        raise identifiers.taken(error) from error
    assert user is not None
    changes = {"username": [None, username], "email": [None, email], "role": [None, role]}
    audit.record(actor, "user.created", user.id, changes)
    return user
