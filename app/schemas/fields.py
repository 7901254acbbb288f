"""Strict marshmallow fields, which accept only their own type, and computed fields of output.

marshmallow's own fields accept more: 1 and "yes" are true for them, "٣" is a number.
"""

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, ClassVar

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from app.faults import Code, Fault
from app.models.types import ID, canonical_id
from app.schemas.coded_fields import Boolean, Coded, Integer, OneOf as OneOfWords, String
from app.schemas.names import outside_names
from app.services.shared import moments, text_rules

_MOMENT = re.compile(r"[\d-]{10}[Tt][\d:]{8}(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,9}", re.ASCII)


_MESSAGES: dict[str, str] = {
    "unknown": Fault(Code.UNKNOWN_FIELD, "There is no such field."),
    "type": Fault(Code.INVALID_TYPE, "This is not an object."),
}


class Strict(Schema):
    """A schema of input that refuses undeclared fields."""

    class Meta:
        unknown = RAISE

    error_messages = _MESSAGES
    # The resource's output fields, as clients name them: those that the schema lacks are read-only.
    resource_fields: ClassVar[Collection[str]] = ()

    def handle_error(self, error: ValidationError, data: Any, **_: Any) -> None:
        """Replace the message of unknown fields that are read-only."""
        sent = data.keys() if isinstance(data, dict) else set()
        for name in sent & set(self.resource_fields) - outside_names(self):
            error.messages_dict[name] = [Fault(Code.READ_ONLY, "This field is read-only.")]


class Text(String):
    """A text in Normalization Form C that satisfies a `rule` of app.services.shared.text_rules."""

    pattern = ""  # of valid texts, for the document
    rule = staticmethod(text_rules.normal)

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        if self.pattern:
            self.metadata = {"pattern": self.pattern, **self.metadata}

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            return self.rule(text)
        except ValueError as error:
            raise ValidationError(error.args[0]) from None


class Line(Text):
    """A text of one line, trimmed before the length check."""

    pattern = text_rules.LINE_PATTERN
    rule = staticmethod(text_rules.line)


class LongText(Text):
    """A text of any number of lines."""

    pattern = text_rules.LONG_PATTERN
    rule = staticmethod(text_rules.long)


class Password(String):
    """A password, unchanged. app.services.users.passwords checks the rules."""


class Flag(Boolean):
    """A boolean in a body, or the words true and false in a query."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        if value is True or (value == "true" and isinstance(data, Parameters)):
            return True
        if value is False or (value == "false" and isinstance(data, Parameters)):
            return False
        raise self.make_error("invalid", input=value)


class Number(Integer):
    """An integer in a query."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, str) or not _NUMBER.fullmatch(value):
            raise self.make_error("invalid", input=value)
        return int(value)


class Whole(Integer):
    """An integer in a body. 2.0 is an integer (JSON Schema Validation, 6.1.1), "2" is not."""

    def __init__(self, **options: Any) -> None:
        super().__init__(strict=True, **options)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        whole = isinstance(value, float) and value.is_integer()
        return super()._deserialize(int(value) if whole else value, attr, data, **kwargs)


class Moment(Coded, fields.DateTime):
    """A date and time with an offset (RFC 3339), converted to UTC."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, str) or not _MOMENT.fullmatch(value):
            code = Code.MALFORMED if isinstance(value, str) else Code.INVALID_TYPE
            why = "Use a date and time with an offset, as 2026-01-31T12:00:00Z (RFC 3339)."
            raise ValidationError(Fault(code, why))
        try:
            return moments.from_rfc_3339(value)
        except ValueError:
            why = "This date and time does not exist."
            raise ValidationError(Fault(Code.MALFORMED, why)) from None

    def _serialize(self, value: Any, attr: Any, obj: Any, **kwargs: Any) -> Any:
        return None if value is None else value.isoformat().replace("+00:00", "Z")


class Identifier(String):
    """The id of a record: a UUID."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.metadata = {"format": "uuid", **self.metadata}

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        found = canonical_id(super()._deserialize(value, attr, data, **kwargs))
        if found is None:
            raise ValidationError(Fault(Code.MALFORMED, "This is not a UUID."))
        return found


class IdentifierOrNone(Identifier):
    """An id in a query, or "none", which loads as None."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.metadata = {"pattern": f"^(none|{ID})$", **self.metadata}
        del self.metadata["format"]

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        return None if value == "none" else super()._deserialize(value, attr, data, **kwargs)


class Computed(fields.Function):
    """An output value that a function makes of the row. `kind` is a field that describes it."""

    def __init__(
        self, function: Callable[[Any], Any], kind: fields.Field[Any], **options: Any
    ) -> None:
        super().__init__(serialize=function, **options)
        self.kind = kind


class Changes(fields.Dict):
    """The old and the new value of each field that an event changed, for output."""

    def __init__(self, **options: Any) -> None:
        pair = fields.List(fields.Raw(), validate=validate.Length(equal=2))
        description = "The old and the new value of each field, [old, new]."
        super().__init__(
            keys=fields.String(), values=pair, metadata={"description": description}, **options
        )


class OneOf(Coded):
    """An object of one of several schemas, selected by its member `name`."""

    def __init__(self, name: str, schemas: Mapping[str, Schema], **options: Any) -> None:
        super().__init__(**options)
        self.name_of_kind, self.schemas = name, schemas

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, dict):
            raise ValidationError(_MESSAGES["type"])
        kind = value.get(self.name_of_kind)
        schema = self.schemas.get(kind) if isinstance(kind, str) else None
        if schema is None:
            why = f"Use one of {', '.join(self.schemas)}."
            code = Code.NOT_A_CHOICE if self.name_of_kind in value else Code.REQUIRED
            raise ValidationError({self.name_of_kind: [Fault(code, why)]})
        return schema.load(value)


class Parameters(dict[str, Any]):
    """The parameters of a query. All values are text."""


def choice(words: tuple[str, ...], **options: Any) -> String:
    return String(validate=OneOfWords(words, error="Use one of {choices}."), **options)
