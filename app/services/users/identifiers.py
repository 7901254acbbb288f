"""The rules of usernames and email addresses."""

import re
from typing import TYPE_CHECKING

from app.errors import Conflict, Invalid
from app.faults import Code, Fault, length_code
from app.lazy import lazy_import
from app.models.user import EMAIL_LOCAL_MAX, EMAIL_MAX, USERNAME_MAX, USERNAME_MIN, USERNAME_PATTERN
from app.services.shared.actor import Actor
from app.services.users import reserved_names
from app.sql import UniqueViolation

if TYPE_CHECKING:
    import email_validator
else:
    email_validator = lazy_import("email_validator")


def checked_email(email: str) -> str:
    """Return the address in its stored form: ASCII, domain in lower case. Raises Invalid."""
    if len(email) > EMAIL_MAX:  # first, because validation of a huge address is slow
        raise _long_email()
    if email.rfind("@") > EMAIL_LOCAL_MAX:
        raise _long_email(f"Use at most {EMAIL_LOCAL_MAX} characters before the @.")
    try:
        valid = email_validator.validate_email(
            email, check_deliverability=False, allow_smtputf8=False
        )
    except email_validator.EmailNotValidError as error:
        fault = Fault(Code.MALFORMED, str(error))
        raise Invalid("This email address cannot be used.", {"email": fault}) from error
    address = valid.ascii_email or ""
    if not address or len(address) > EMAIL_MAX:
        raise _long_email()
    return address


def _long_email(why: str = f"Use at most {EMAIL_MAX} characters.") -> Invalid:
    fault = Fault(Code.TOO_LONG, why)
    return Invalid("This email address cannot be used.", {"email": fault})


def check_own_username(actor: Actor, username: str) -> None:
    """Check a username that `actor` chooses for their own account.

    Raises Invalid, also for a reserved name, which only admins and commands may use.
    """
    if not actor.is_admin and reserved_names.is_reserved(username):
        raise _refusal(Code.RESERVED, "This username is reserved. Choose another one.")
    check_username(username)


def check_username(username: str) -> None:
    """Raise Invalid unless the username has an allowed length and only allowed characters."""
    if not USERNAME_MIN <= len(username) <= USERNAME_MAX:
        why = f"Use {USERNAME_MIN} to {USERNAME_MAX} characters."
        raise _refusal(length_code(len(username), USERNAME_MIN), why)
    if not re.fullmatch(USERNAME_PATTERN, username):
        why = "Use letters, digits, dots, hyphens and underscores only."
        raise _refusal(Code.INVALID_CHARACTER, why)


def _refusal(code: Code, why: str) -> Invalid:
    return Invalid("This username cannot be used.", {"username": Fault(code, why)})


def taken(error: UniqueViolation) -> Conflict:
    """Return the Conflict for a unique violation, with the field of the taken name."""
    return taken_field("email" if "email" in error.index else "username")


def taken_email() -> Conflict:
    return taken_field("email")


def taken_field(field: str) -> Conflict:
    """Return the Conflict for an `email` or `username` that another account has."""
    why = f"This {field} is taken."
    return Conflict(why, {field: Fault(Code.TAKEN, why)})
