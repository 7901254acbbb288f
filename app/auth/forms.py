"""Forms to register, to sign in and to set a new password."""

from functools import partial
from typing import Any

from wtforms import BooleanField, PasswordField, StringField
from wtforms.validators import InputRequired, Length

from app.models.user import EMAIL_MAX, USERNAME_MAX
from app.pages import account_fields
from app.pages.forms import Form, NewPasswordForm, is_stale, stripped
from app.services.users import identifiers, registration
from app.web.current_user import origin

IDENTIFIER_MAX = max(EMAIL_MAX, USERNAME_MAX)


class RegisterForm(NewPasswordForm):
    username = account_fields.username()
    email = account_fields.email()
    password = account_fields.new_password("Password")

    def validate_username(self, field: StringField) -> None:
        account_fields.rule(partial(identifiers.check_own_username, origin()))(self, field)

    def validate(self, extra_validators: Any = None) -> bool:
        """Validate the fields, and report a taken name together with all other faults."""
        valid = super().validate(extra_validators)
        if not valid and not is_stale():
            fields = [self[name] for name in ("username", "email")]
            names = {field.name: field.data for field in fields if field.data and not field.errors}
            for name, fault in registration.taken(origin(), **names).items():
                self[name].errors = [fault]
        return valid


class LoginForm(Form):
    identifier = StringField(
        "Email or username",
        [InputRequired("Enter your email or username."), Length(max=IDENTIFIER_MAX)],
        filters=[stripped],
        render_kw={
            "autocomplete": "username webauthn",
            "autocapitalize": "none",
            "spellcheck": "false",
        },
    )
    password = PasswordField(
        "Password",
        [InputRequired("Enter your password.")],
        render_kw={"autocomplete": "current-password"},
    )
    remember = BooleanField("Remember me on this device")


class ForgotForm(Form):
    email = account_fields.email()


class ConfirmForm(Form):
    password = PasswordField(
        "Password of the account",
        [InputRequired("Enter the password of the account.")],
        render_kw={"autocomplete": "current-password"},
    )


class ResetForm(NewPasswordForm):
    password = account_fields.new_password()
