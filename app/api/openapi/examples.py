"""Examples of the OpenAPI document: a schema's own `example`, or one built from its fields."""

from typing import Any

from marshmallow import Schema, fields, validate

from app.errors import AppError
from app.schemas.fields import Computed, Identifier, Moment
from app.schemas.names import fields_by_name

ID = "019a3f5e-7c00-7b21-9d4e-3f8a5c6b7d10"
OTHER_ID = "019a3f5e-8d10-7c32-8e5f-4a9b6d7c8e21"
MOMENT = "2026-01-31T12:00:00Z"
_VALUES: list[tuple[type[fields.Field[Any]], Any]] = [
    (Identifier, ID),
    (Moment, MOMENT),
    (fields.Date, MOMENT[:10]),
    (fields.Boolean, True),
    (fields.Integer, 1),
    (fields.String, "text"),
    (fields.Dict, {}),
]


def of(schema: Schema) -> Any:
    """Return an example value of the schema: an array if the schema has many."""
    own: dict[str, Any] | None = getattr(schema, "example", None)
    one = own or {name: _value(field) for name, field in fields_by_name(schema).items()}
    return [one] if schema.many else one


def page(item: Schema) -> dict[str, Any]:
    return {"items": [of(item)], "next_cursor": None}


def problem(kind: type[AppError]) -> dict[str, Any]:
    return {
        "type": f"/problems/{kind.slug}",
        "title": kind.title,
        "status": kind.status,
        "detail": f"{kind.title}.",
        "instance": "/api/v1/tasks",
        "request_id": "9f1c4a7e2b6d4c0f8a3e5d7b1c9f2a4e",
    }


def _value(field: Any) -> Any:
    if "example" in field.metadata:
        return field.metadata["example"]
    for validator in field.validators:
        if isinstance(validator, validate.OneOf):
            return next(iter(validator.choices), "")  # no resource may have events
    if isinstance(field, Computed):
        return _value(field.kind)
    if isinstance(field, fields.List):
        return [_value(field.inner)]
    if isinstance(field, fields.Nested):
        return of(field.schema)
    return next(value for kind, value in _VALUES if isinstance(field, kind))
