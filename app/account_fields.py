"""The fields in which an account is typed, alike in every form."""

from wtforms import EmailField, PasswordField, StringField
from wtforms.validators import InputRequired, Length

from app.forms import stripped
from app.models.user import EMAIL_MAX, USERNAME_MAX, USERNAME_MIN


def username() -> StringField:
    return StringField(
        "Username",
        [InputRequired("Choose a username."), Length(USERNAME_MIN, USERNAME_MAX)],
        filters=[stripped],
        description="Letters, digits, dots, hyphens and underscores.",
        render_kw={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"},
    )


def email() -> EmailField:
    return EmailField(
        "Email",
        [InputRequired("Enter your email."), Length(max=EMAIL_MAX)],
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
    """`element_id`: of the second one on a page."""
    return PasswordField(
        "Current password",
        [InputRequired("Enter your current password.")],
        id=element_id,
        render_kw={"autocomplete": "current-password"},
    )
