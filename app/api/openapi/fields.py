"""Schemas of fields in the OpenAPI document that apispec cannot describe alone."""

from collections.abc import Callable
from typing import Any

from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow.fields import Field

from app.api.openapi.components import Json
from app.api.user_schemas import NewPassword
from app.schemas.fields import Computed, OneOf


def one_of(converter: OpenAPIConverter, field: Field[Any], **_: Any) -> Json:
    """Describe a OneOf field as oneOf with a discriminator (an apispec attribute function)."""
    if not isinstance(field, OneOf):
        return {}
    resolve: Any = converter.resolve_nested_schema
    kinds = {kind: resolve(schema) for kind, schema in field.schemas.items()}
    mapping = {kind: reference["$ref"] for kind, reference in kinds.items()}
    discriminator = {"propertyName": field.name_of_kind, "mapping": mapping}
    return {"oneOf": list(kinds.values()), "discriminator": discriminator}


def computed(converter: OpenAPIConverter, field: Field[Any], **_: Any) -> Json:
    """Describe a computed field by its `kind` (an apispec attribute function)."""
    return converter.field2property(field.kind) if isinstance(field, Computed) else {}


def minimum_length(characters: int) -> Callable[..., Json]:
    """Return an apispec attribute function that sets the minimum length of a new password."""

    def describe(_converter: OpenAPIConverter, field: Field[Any], **_: Any) -> Json:
        return {"minLength": characters} if isinstance(field, NewPassword) else {}

    return describe


def query_parameter(converter: OpenAPIConverter, name: str, field: Field[Any]) -> Json:
    schema = converter.field2property(field)
    if isinstance(schema["type"], list):  # optional, but a query cannot contain null
        schema["type"] = schema["type"][0]
        del schema["default"]
        if "enum" in schema:
            schema["enum"].remove(None)
    parameter: Json = {"name": name, "in": "query", "schema": schema}
    if field.required:
        parameter["required"] = True
    if description := schema.pop("description", None):
        parameter["description"] = description
    return parameter
