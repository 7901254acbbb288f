"""What is typed to register, to sign in and to set a new password."""

from wtforms import BooleanField, EmailField, PasswordField, StringField
from wtforms.validators import InputRequired, Length

from app.forms import Form, NewPasswordForm, stripped
from app.models.user import EMAIL_MAX, USERNAME_MAX, USERNAME_MIN

IDENTIFIER_MAX = max(EMAIL_MAX, USERNAME_MAX)


class RegisterForm(NewPasswordForm):
    username = StringField(
        "Username",
        [InputRequired("Choose a username."), Length(USERNAME_MIN, USERNAME_MAX)],
        filters=[stripped],
        description="Letters, digits, dots, hyphens and underscores.",
        render_kw={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"},
    )
    email = EmailField(
        "Email",
        [InputRequired("Enter your email."), Length(max=EMAIL_MAX)],
        filters=[stripped],
        render_kw={"autocomplete": "email"},
    )
    password = PasswordField(
        "Password",
        [InputRequired("Choose a password.")],
        render_kw={"autocomplete": "new-password"},
    )


class LoginForm(Form):
    identifier = StringField(
        "Email or username",
        [InputRequired("Enter your email or username."), Length(max=IDENTIFIER_MAX)],
        filters=[stripped],
        render_kw={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"},
    )
    password = PasswordField(
        "Password",
        [InputRequired("Enter your password.")],
        render_kw={"autocomplete": "current-password"},
    )
    remember = BooleanField("Remember me on this device")


class ResetForm(NewPasswordForm):
    password = PasswordField(
        "New password",
        [InputRequired("Choose a password.")],
        render_kw={"autocomplete": "new-password"},
    )
