"""marshmallow fields and validators for input, with a code in each message.

Schemas of bodies and queries use only these fields, which a test checks.
"""

from typing import Any

from marshmallow import ValidationError, fields, validate

from app.faults import Code, Fault, length_code

_CODES = {
    "required": Code.REQUIRED,
    "too_large": Code.OUT_OF_RANGE,
    "invalid_utf8": Code.MALFORMED,
}  # by marshmallow's keys of messages; any other key means a wrong type


class Coded(fields.Field[Any]):
    """A field whose messages carry a code."""

    def make_error(self, key: str, **values: Any) -> ValidationError:
        code = _CODES.get(key, Code.INVALID_TYPE)
        return _coded(super().make_error(key, **values), code)


class String(Coded, fields.String):
    pass


class Integer(Coded, fields.Integer):
    pass


class Boolean(Coded, fields.Boolean):
    pass


class List(Coded, fields.List[Any]):
    pass


class Nested(Coded, fields.Nested):
    pass


class Length(validate.Length):
    def __call__(self, value: Any) -> Any:
        try:
            return super().__call__(value)
        except ValidationError as error:
            raise _coded(error, length_code(len(value), self.min or 0)) from None


def not_blank(text: str) -> None:
    """Raise ValidationError for an empty text. The document states it by a line's pattern."""
    if not text:
        raise ValidationError(Fault(Code.TOO_SHORT, "Use at least one character."))


class Range(validate.Range):
    def __call__(self, value: Any) -> Any:
        try:
            return super().__call__(value)
        except ValidationError as error:
            raise _coded(error, Code.OUT_OF_RANGE) from None


class OneOf(validate.OneOf):
    def __call__(self, value: Any) -> Any:
        try:
            return super().__call__(value)
        except ValidationError as error:
            raise _coded(error, Code.NOT_A_CHOICE) from None


def _coded(error: ValidationError, code: Code) -> ValidationError:
    return ValidationError([Fault(code, message) for message in error.messages])
