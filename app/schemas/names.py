"""Names of a schema's fields: outside in JSON and queries, inside in Python (`data_key`)."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from marshmallow import Schema, fields

from app.schemas.strict_json import step

Field = fields.Field[Any]


def outside(name: str, field: Field) -> str:
    """Return the name that clients use for the field `name` of a schema."""
    return name if field.data_key is None else field.data_key


def outside_names(schema: Schema) -> frozenset[str]:
    """Return the names that clients use for the fields of the schema."""
    return frozenset(fields_by_name(schema))


@cache
def fields_by_name(schema: Schema) -> dict[str, Field]:
    """Return the fields of the schema by the names that clients use."""
    return {outside(name, field): field for name, field in schema.fields.items()}


def outside_path(schema: Schema | None, path: str) -> str:
    """Return the JSON Pointer, without its first slash, for a path of inside names.

    A step that is already an outside name, or no field, stays as it is.
    """
    steps = []
    for name in path.split("/"):
        client_name, field = _inside_fields(schema).get(name, ("", None)) if schema else ("", None)
        if field is not None:
            schema = _schema_below(field)
            steps.append(step(client_name))
        else:
            schema = schema if name.isdecimal() else None  # an index of a list has no schema
            steps.append(name)
    return "/".join(steps)


def renames(schema: Schema) -> bool:
    """Return True if a field of the schema, at any depth, has another name outside than inside.

    Raises ValueError for a name that means two fields: a fault could not name the right one.
    """
    return any(_renames(each) for each in _schemas(schema, set()))


def _renames(schema: Schema) -> bool:
    by_name = fields_by_name(schema)
    for inside, (_, field) in _inside_fields(schema).items():
        if by_name.get(inside, field) is not field:
            raise ValueError(f"{inside!r} names one field outside and another one inside.")
    return _inside_fields(schema).keys() != by_name.keys()


def _schemas(schema: Schema, seen: set[type[Schema]]) -> Iterator[Schema]:
    if type(schema) not in seen:
        seen.add(type(schema))
        yield schema
        for field in schema.fields.values():
            below = _schema_below(field)
            if below is not None:
                yield from _schemas(below, seen)


def _inside_fields(schema: Schema) -> dict[str, tuple[str, Field]]:
    """Return the outside name and the field by each name that a loaded value has."""
    named = fields_by_name(schema).items()
    return {
        field.attribute or inside: (name, field)
        for inside, (name, field) in zip(schema.fields, named, strict=True)
    }


def _schema_below(field: Field | None) -> Schema | None:
    while isinstance(field, fields.List):
        field = field.inner
    return field.schema if isinstance(field, fields.Nested) else None
