"""Form fields of an account, shared by all forms."""

from collections.abc import Callable

from wtforms import EmailField, Field, PasswordField, StringField, ValidationError
from wtforms.form import BaseForm
from wtforms.validators import InputRequired, Length

from app.errors import Invalid
from app.models.user import EMAIL_MAX, USERNAME_MAX, USERNAME_MIN
from app.pages.forms import stripped
from app.services.users import identifiers


def rule(check: Callable[[str], object]) -> Callable[[BaseForm, Field], None]:
    """Return a validator that calls a service's rule, so that a form shows all faults at once.

    The form's initial value is not checked: it may be older than the rule.
    """

    def validate(_form: BaseForm, field: Field) -> None:
        if not field.errors and field.data != field.object_data:
            try:
                check(field.data or "")
            except Invalid as error:
                raise ValidationError(" ".join(error.fields.values())) from error

    return validate


def username() -> StringField:
    return StringField(
        "Username",
        [
            InputRequired("Choose a username."),
            Length(USERNAME_MIN, USERNAME_MAX),
            rule(identifiers.check_username),
        ],
        filters=[stripped],
        description="Letters, digits, dots, hyphens and underscores.",
        render_kw={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"},
    )


def email() -> EmailField:
    return EmailField(
        "Email",
        [
            InputRequired("Enter your email."),
            Length(max=EMAIL_MAX),
            rule(identifiers.checked_email),
        ],
        filters=[stripped],
        render_kw={"autocomplete": "email"},
    )


def new_password(label: str = "New password") -> PasswordField:
    return PasswordField(
        label,
        [InputRequired("Choose a password.")],
        render_kw={"autocomplete": "new-password"},
    )


def current_password(element_id: str | None = None) -> PasswordField:
    """Return the field. `element_id` is needed for a second such field on a page."""
    return PasswordField(
        "Current password",
        [InputRequired("Enter your current password.")],
        id=element_id,
        render_kw={"autocomplete": "current-password"},
    )
