"""marshmallow fields that take a value of their own type only, and what turns rows into JSON.

marshmallow's own fields are generous: 1 and "yes" are true to them, "٣" is a number.
"""

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, ClassVar

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from app.faults import Code, Fault
from app.models.task import LABEL_MAX, LABELS_MAX
from app.models.types import ID, canonical_id
from app.schemas.coded_fields import Boolean, Coded, Integer, List, OneOf as OneOfWords, String
from app.services.shared import moments, text_rules
from app.services.tasks import labels

_MOMENT = re.compile(r"[\d-]{10}[Tt][\d:]{8}(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,9}", re.ASCII)


_MESSAGES: dict[str, str] = {
    "unknown": Fault(Code.UNKNOWN_FIELD, "There is no such field."),
    "type": Fault(Code.INVALID_TYPE, "This is not an object."),
}


class Strict(Schema):
    """What a client sends: nothing that is not declared."""

    class Meta:
        unknown = RAISE

    error_messages = _MESSAGES
    # The fields that answers show of the resource: one that is not declared here is read-only.
    resource_fields: ClassVar[Collection[str]] = ()

    def handle_error(self, error: ValidationError, data: Any, **_: Any) -> None:
        """Tell read-only fields from unknown ones."""
        sent = data.keys() if isinstance(data, dict) else set()
        for name in sent & set(self.resource_fields) - self.fields.keys():
            error.messages_dict[name] = [Fault(Code.READ_ONLY, "This field is read-only.")]


class Text(String):
    """A text in Normalization Form C, which follows a `rule` of app.services.shared.text_rules."""

    pattern = ""  # of what the rule allows, for the document
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
    """A text of one line, trimmed before its length is looked at."""

    pattern = text_rules.LINE_PATTERN
    rule = staticmethod(text_rules.line)


class LongText(Text):
    """A text of any number of lines."""

    pattern = text_rules.LONG_PATTERN
    rule = staticmethod(text_rules.long)


class Password(String):
    """A password as it is typed: app.services.users.passwords has its rules."""


class Flag(Boolean):
    """true or false, and in a query the words."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        if value is True or (value == "true" and isinstance(data, Parameters)):
            return True
        if value is False or (value == "false" and isinstance(data, Parameters)):
            return False
        raise self.make_error("invalid", input=value)


class Number(Integer):
    """A whole number in a query."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, str) or not _NUMBER.fullmatch(value):
            raise self.make_error("invalid", input=value)
        return int(value)


class Whole(Integer):
    """A whole number in a body: 2 and 2.0 are one (JSON Schema Validation, 6.1.1), "2" is none."""

    def __init__(self, **options: Any) -> None:
        super().__init__(strict=True, **options)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        whole = isinstance(value, float) and value.is_integer()
        return super()._deserialize(int(value) if whole else value, attr, data, **kwargs)


class Moment(Coded, fields.DateTime):
    """RFC 3339, with an offset; in UTC from then on."""

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
    """In a query: an id, or "none", which is None, for what has none."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.metadata = {"pattern": f"^(none|{ID})$", **self.metadata}
        del self.metadata["format"]

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        return None if value == "none" else super()._deserialize(value, attr, data, **kwargs)


class Changes(fields.Dict):
    """In an answer: the old and the new value of each field that an event changed."""

    def __init__(self, **options: Any) -> None:
        pair = fields.List(fields.Raw(), validate=validate.Length(equal=2))
        description = "The old and the new value of each field, [old, new]."
        super().__init__(
            keys=fields.String(), values=pair, metadata={"description": description}, **options
        )


class Labels(List):
    """A task's labels, kept once each without case."""

    def __init__(self, **options: Any) -> None:
        form = {"minLength": 1, "maxLength": LABEL_MAX, "pattern": labels.PATTERN}
        super().__init__(String(metadata=form), **options)
        self.metadata = {"maxItems": LABELS_MAX, **self.metadata}

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        try:
            given: list[Any] = super()._deserialize(value, attr, data, **kwargs)
            return labels.clean(given)
        except ValueError as error:
            raise ValidationError(error.args[0]) from None


class OneOf(Coded):
    """An object of one of several shapes, as its member `name` says."""

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
    """The parameters of a query, whose values are all text."""


def choice(words: tuple[str, ...], **options: Any) -> String:
    return String(validate=OneOfWords(words, error="Use one of {choices}."), **options)


def compile_dump(schema: Schema) -> Callable[[Any], Mapping[str, Any]]:
    """A function that does what `schema.dump` does for a row, at a fraction of its cost.

    orjson writes the values as the fields would; a property test holds the two equal.
    """
    names = [name for name, field in schema.fields.items() if not field.load_only]
    assert all(name.isidentifier() for name in names)  # noqa: S101 - nothing else is evaluated
    pairs = ", ".join(f"{name!r}: row.{name}" for name in names)
    function: Callable[[Any], Mapping[str, Any]] = eval(f"lambda row: {{{pairs}}}")  # noqa: S307
    return function
