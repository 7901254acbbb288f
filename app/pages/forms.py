"""The base class of all forms. Fields have the API's names and the models' limits."""

from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Any

from flask import Response, after_this_request, g, request
from flask_wtf import FlaskForm
from werkzeug.datastructures import CombinedMultiDict, MultiDict
from wtforms import (  # type: ignore[attr-defined]
    Field,
    FileField,
    PasswordField,
    SelectChoice,
    ValidationError,
)
from wtforms.form import BaseForm

from app.errors import (
    AppError,
    BadCredentials,
    Conflict,
    Invalid,
    Malformed,
    PreconditionFailed,
    TooManyRequests,
)
from app.services.shared import text_rules
from app.services.users import passwords

# Errors that the user can correct in the form. All other errors have their own page.
REFUSALS = (BadCredentials, Conflict, Invalid, PreconditionFailed, TooManyRequests)
OTP_MAX = 64  # characters of a code or a recovery code, separators included
CREDENTIAL_MAX = 10_000  # characters of a passkey credential as JSON
STALE = "The page was out of date. Nothing was sent. Check the form and send it again."
NUL = "Remove the NUL character."  # no database column stores NUL


class Form(FlaskForm):
    """A form that shows errors, its own and those of services, beside the faulty field."""

    form_errors: Sequence[str]
    refused_with: int = Invalid.status

    class Meta(FlaskForm.Meta):
        def wrap_formdata(self, form: BaseForm, formdata: Any) -> Any:
            """Return the sent form: files only for file fields, and never JSON."""
            if isinstance(formdata, MultiDict):
                return _normal(form, formdata)
            if formdata is None or request.method != "POST":
                return None
            files = [
                (name, file)
                for name, file in request.files.items(multi=True)
                if name in form and isinstance(form[name], FileField)
            ]
            return CombinedMultiDict((MultiDict(files), _normal(form, request.form)))

    def values(self) -> dict[str, Any]:
        """Return the values by field name, without the CSRF token."""
        return {name: value for name, value in self.data.items() if name != "csrf_token"}

    @property
    def http_status(self) -> int:
        """Return the HTTP status of the page that shows the form."""
        return self.refused_with if self.errors else 200

    def validate(self, extra_validators: Any = None) -> bool:
        if is_stale():
            self.form_errors, self.refused_with = [STALE], Malformed.status
            return False
        marred = [field for field in self if _holds_nul(field)]
        for field in marred:
            field.errors = [NUL]
        return not marred and bool(super().validate(extra_validators))

    def blame(self, error: AppError) -> None:
        """Show a service's error beside the fields that it names, or else above the form.

        TooManyRequests also sets Retry-After.
        """
        if isinstance(error, TooManyRequests):
            self.refused_with = error.status
            seconds = str(error.retry_after)
            after_this_request(lambda answer: _retry_after(answer, seconds))
        strange: list[str] = []
        for name, why in error.fields.items():
            field = self._fields.get(name) or self._fields.get(name.removesuffix("_id"))
            if field is None:
                strange.append(why)
            else:
                field.errors = [*field.errors, why]
        if strange or not error.fields:
            self.form_errors = [*self.form_errors, *(strange or [error.message])]

    def show_refusals(self, *others: type[AppError]) -> "ShownRefusals":
        """Return a context manager that catches REFUSALS and `others`, and shows them by `blame`.

        The view goes on after the `with` statement, and shows the form again.
        """
        return ShownRefusals(self, (*REFUSALS, *others))

    def faulty(self) -> list[Field]:
        """Return the fields with errors, in order."""
        return [field for field in self if field.errors]


class ShownRefusals:
    """A class, because mypy takes a function's context manager for one that catches nothing."""

    def __init__(self, form: Form, kinds: tuple[type[AppError], ...]) -> None:
        self.form = form
        self.kinds = kinds

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> bool:
        if not isinstance(error, self.kinds):
            return False
        self.form.blame(error)
        return True


class NewPasswordForm(Form):
    """A form with a new `password`, whose hint is the length rule."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self["password"].description = passwords.length_rule()

    def validate_password(self, field: Field) -> None:
        """Check the password against the form's names. The service repeats the check with the
        account's names."""
        known = [self[name].data or "" for name in ("username", "email") if name in self]
        try:
            passwords.check("password", field.data or "", *known)
        except Invalid as error:
            raise ValidationError(" ".join(error.fields.values())) from error


def is_stale() -> bool:
    """Return True if the sent form has the CSRF token of another session."""
    return bool(g.get("stale_form"))


def _retry_after(answer: Response, seconds: str) -> Response:
    answer.headers["Retry-After"] = seconds
    return answer


def _holds_nul(field: Field) -> bool:
    return any(isinstance(raw, str) and "\0" in raw for raw in field.raw_data or ())


def _normal(form: BaseForm, typed: "MultiDict[str, str]") -> "MultiDict[str, str]":
    """Return the values in Normalization Form C, except passwords."""
    return MultiDict(
        (
            name,
            text
            if name in form and isinstance(form[name], PasswordField)
            else text_rules.normal(text),
        )
        for name, text in typed.items(multi=True)
    )


def one_line(_form: BaseForm, field: Field) -> None:
    """Raise ValidationError by text_rules.line."""
    try:
        text_rules.line(field.data or "")
    except ValueError as error:
        raise ValidationError(str(error)) from None


def many_lines(_form: BaseForm, field: Field) -> None:
    """Raise ValidationError by text_rules.long."""
    try:
        text_rules.long(field.data or "")
    except ValueError as error:
        raise ValidationError(str(error)) from None


def stripped(value: str | None) -> str | None:
    return value.strip() if value is not None else None


def plain_lines(value: str | None) -> str | None:
    """Return the text with LF line ends. Browsers send CR LF, the API stores LF."""
    return value.replace("\r\n", "\n").replace("\r", "\n") if value is not None else None


def choices(words: Iterable[str], blank: str = "") -> list[Any]:
    """Return the options of a select: `words`, after an empty option with the text `blank`."""
    first = [("", blank)] if blank else []
    return options(first + [(word, word.replace("_", " ").capitalize()) for word in words])


def options(pairs: Iterable[tuple[str, str]]) -> list[Any]:
    """Return the options of a select from pairs of value and text."""
    return [SelectChoice(value, text) for value, text in pairs]
