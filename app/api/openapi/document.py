"""The OpenAPI 3.1 document, built from the declarations of the operations."""

import inspect
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Flask
from marshmallow import Schema
from werkzeug.routing import Rule

from app import errors
from app.api.http.declaration import Operation
from app.api.http.multipart import MULTIPART
from app.api.http.request_parsing import JSON
from app.api.openapi import components as parts, examples, tags
from app.api.openapi.components import Json
from app.api.openapi.fields import computed, minimum_length, one_of, query_parameter
from app.api.openapi.strings import forbid_nul
from app.errors import AppError
from app.product import NAME
from app.schemas.names import fields_by_name
from app.version import VERSION
from app.web.error_handlers import problems

OPENAPI = "3.1.0"
DESCRIPTION = (
    "Tasks and users. Ids are UUIDv7, times RFC 3339 in UTC, errors problem+json (RFC 9457)."
)


def build(app: Flask) -> Json:
    """Return the document for the routes of `app` under /api/v1."""
    plugin = MarshmallowPlugin(schema_name_resolver=_name)
    spec = APISpec(NAME, VERSION, OPENAPI, plugins=[plugin])
    converter: Any = plugin.converter
    converter.add_attribute_function(one_of)
    converter.add_attribute_function(computed)
    converter.add_attribute_function(minimum_length(app.config["PASSWORD_MIN_LENGTH"]))
    spec.options["info"] = {"description": DESCRIPTION, "license": _LICENSE}
    spec.options["servers"] = [{"url": "/"}]  # the host that serves the document
    spec.components.security_scheme("bearer", {"type": "http", "scheme": "bearer"})
    spec.components.schema("Problem", schema=parts.Problem)
    for name, header in parts.HEADERS.items():
        spec.components.header(name, header)
    spec.components.parameter("X-Request-ID", "header", parts.REQUEST_ID)
    for slug, kind in sorted(problems().items()):
        spec.components.example(slug, {"value": examples.problem(kind)})
    for rule, method, operation, summary in operations(app):
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        spec.path(path, operations={method: _operation(plugin, rule, operation, summary)})
    document: Json = spec.to_dict()
    document["tags"] = tags.described(document)
    kinds = document["components"]["schemas"]["Problem"]["properties"]["type"]
    kinds["enum"] = [f"/problems/{slug}" for slug in sorted(problems())]
    for (schema, *_), name in converter.refs.items():
        document["components"]["schemas"][name] |= getattr(schema, "rules", {})
    parts.share_problems(document)
    forbid_nul(document)
    return document


_LICENSE = {"name": "MIT", "identifier": "MIT"}


def operations(app: Flask) -> Iterator[tuple[Rule, str, Operation, str]]:
    """Yield the route, method ("get"), declaration and description of every operation."""
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        view = app.view_functions[rule.endpoint]
        operation = getattr(view, "operation", None)
        if operation is not None:
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield rule, method.lower(), operation, inspect.getdoc(view) or ""


def _name(schema: Any) -> str:
    instance = schema() if isinstance(schema, type) else schema
    name = type(instance).__name__.removesuffix("Out")
    return f"{name}Partial" if instance.partial else name


def _operation(plugin: MarshmallowPlugin, rule: Rule, operation: Operation, text: str) -> Json:
    found: Json = {
        "operationId": operation.id,
        "tags": [tags.tag_of(rule.endpoint)],
        "summary": operation.summary,
        "parameters": list(_parameters(plugin, rule, operation)),
        "responses": _responses(rule, operation),
        "security": [],
    }
    if operation.deprecated is not None:
        found["deprecated"] = True
    if text:
        found["description"] = text
    if operation.scopes is not None:
        found["security"] = [{"bearer": [scope]} for scope in operation.scopes] or [{"bearer": []}]
    if operation.token_optional:
        found["security"].append({})
    if operation.body is not None:
        content = {kind: _content(operation.body) for kind in operation.body_types}
        found["requestBody"] = {"required": True, "content": content}
    elif operation.takes:
        content = _text_contents(operation.takes)
        if operation.takes_file:  # first: some client generators use only the first media type
            form = _form(operation.takes_file, operation.takes)
            content = {MULTIPART: form, **content}
        found["requestBody"] = {"required": True, "content": content}
    return found


def _content(schema: Schema) -> Json:
    return {"schema": schema, "example": examples.of(schema)}


def _text_contents(example_by_type: Mapping[str, str]) -> Json:
    return {
        kind: {"schema": {"type": "string"}, "example": example}
        for kind, example in example_by_type.items()
    }


def _form(name: str, example_by_type: Mapping[str, str]) -> Json:
    """Return a form with a file of one of these media types in the field `name`."""
    file = {"type": "string", "format": "binary", "contentMediaType": "application/octet-stream"}
    schema = {
        "type": "object",
        "properties": {name: file},
        "required": [name],
        "additionalProperties": False,
    }
    return {
        "schema": schema,
        "encoding": {name: {"contentType": ", ".join(example_by_type)}},
        "example": {name: next(iter(example_by_type.values()))},
    }


def _parameters(
    plugin: MarshmallowPlugin, rule: Rule, operation: Operation
) -> Iterator[Json | str]:
    for name in sorted(rule.arguments):
        yield parts.path(name)
    yield "X-Request-ID"  # a reference to the components
    if operation.if_match:
        yield parts.IF_MATCH
        yield parts.EXCLUDED
    if operation.idempotent:
        yield parts.IDEMPOTENCY_KEY
    if operation.etag and "GET" in (rule.methods or ()):
        yield parts.REQUIRED
        yield parts.IF_NONE_MATCH
    for name, field in (fields_by_name(operation.query) if operation.query else {}).items():
        assert plugin.converter is not None  # noqa: S101 - set by APISpec
        yield query_parameter(plugin.converter, name, field)


def _responses(rule: Rule, operation: Operation) -> Json:
    found = {str(operation.status): _success(operation)}
    if operation.etag and "GET" in (rule.methods or ()):
        headers = parts.headers(*parts.ALWAYS, "ETag")
        found["304"] = {"description": "Not modified", "headers": headers}
    by_status: dict[int, list[type[AppError]]] = {}
    for kind in _errors(operation, rule.methods or ()):
        by_status.setdefault(kind.status, []).append(kind)
    for status, kinds in sorted(by_status.items()):
        found[str(status)] = parts.problem(kinds, patches="PATCH" in (rule.methods or ()))
    return found


def _success(operation: Operation) -> Json:
    carried = {
        "ETag": operation.etag,
        "Location": operation.location,
        "Link": operation.is_list,
        "Idempotent-Replayed": operation.idempotent,
        "Content-Disposition": operation.streams,
        "Deprecation": operation.deprecated,
        "Sunset": operation.deprecated,
    }
    names = [name for name, is_carried in carried.items() if is_carried]
    success: Json = {
        "description": operation.summary,
        "headers": parts.headers(*parts.ALWAYS, *names),
    }
    if operation.streams:
        success["content"] = _text_contents(operation.streams)
    elif operation.is_list and operation.returns is not None:
        example = examples.page(operation.returns)
        success["content"] = {JSON: {"schema": parts.page(operation.returns), "example": example}}
    elif operation.returns is not None:
        content = _content(operation.returns)
        if operation.variants:
            content["schema"] = {"anyOf": [operation.returns, *operation.variants.values()]}
        success["content"] = {JSON: content}
    return success


def _errors(operation: Operation, methods: Collection[str]) -> Iterator[type[AppError]]:
    yield errors.Malformed
    yield from operation.errors
    if operation.scopes is not None:
        yield from _token_errors(operation)
    if operation.body is not None or operation.takes:
        yield from (errors.ContentTooLarge, errors.Invalid)
    if "GET" not in methods:  # Content-Encoding is refused even if the operation reads no body
        yield errors.UnsupportedMediaType
    if operation.if_match:
        yield errors.PreconditionRequired
    elif operation.etag and "GET" in methods:
        yield errors.PreconditionFailed
    yield from _idempotency_errors(operation, methods)
    yield from (errors.InvalidParameter, errors.TooManyRequests, errors.Unavailable)


def _idempotency_errors(operation: Operation, methods: Collection[str]) -> Iterator[type[AppError]]:
    if operation.idempotent:
        yield from (errors.StillRunning, errors.IdempotencyKeyReused)
    if "POST" in methods and (operation.token_optional or not operation.idempotent):
        yield errors.IdempotencyNotSupported


def _token_errors(operation: Operation) -> Iterator[type[AppError]]:
    yield from (errors.Unauthorized, errors.InvalidToken)
    if operation.scopes:
        yield errors.InsufficientScope
    if not operation.before_factor:
        yield errors.FactorRequired
