"""Opening an account."""

from sqlalchemy import insert

from app import policy
from app.errors import Forbidden
from app.models import User
from app.models.types import now, uuid7
from app.services import audit, identifiers, mail_limits, mails, passwords, throttle
from app.services.actor import Actor
from app.sql import Duplicate, Statement, atomic

audit.declare("user", "user.created")

_table = User.__table__
_insert = Statement[User](insert(_table).returning(*_table.c))  # type: ignore[arg-type]


def need_open(registration_open: bool) -> None:
    """Raises Forbidden where the settings close registration."""
    if not registration_open:
        raise Forbidden("Registration is closed.")


def register(actor: Actor, username: str, email: str, password: str, role: str = "user") -> User:
    """Open an account, and mail a link that confirms its address.

    Raises Invalid, Conflict with the field that is taken, TooManyRequests.
    """
    email = identifiers.checked_email(email)
    identifiers.check_own_username(actor, username)
    passwords.check("password", password, username, email)
    return _register(actor, username, email, passwords.hash_(password), role)


@atomic
def _register(actor: Actor, username: str, email: str, password_hash: str, role: str) -> User:
    if actor.address and policy.current().limit_sign_ups:  # a command has no address
        throttle.count_sign_up(actor.address)
    user = store(actor, username, email, password_hash, role)
    if policy.current().has_mail and mail_limits.take("confirm", email.lower()):
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
    """A new account, of names that were checked. Raises Conflict."""
    moment = now()
    try:
        user = _insert.one(
            id=uuid7(),
            username=username,
            email=email,
            password_hash=password_hash,
            role=role,
            is_active=True,
            email_verified=email_verified,
            created_at=moment,
            updated_at=moment,
            version=1,
        )
    except Duplicate as error:
        raise identifiers.taken(error) from error
    assert user is not None
    changes = {"username": [None, username], "email": [None, email], "role": [None, role]}
    audit.record(actor, "user.created", user.id, changes)
    return user
