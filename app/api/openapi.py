"""The OpenAPI 3.1 document, made from what the operations declare."""

import re
from collections.abc import Collection, Iterator
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Flask
from marshmallow import Schema, fields
from werkzeug.routing import Rule

from app import errors
from app.api.operation import Operation
from app.errors import AppError
from app.models.idempotency_record import KEY_MAX

VERSION = "1.0.0"
PROBLEM = "application/problem+json"
DESCRIPTION = (
    "Tasks and users. Ids are UUIDv7, moments RFC 3339 in UTC, errors problem+json (RFC 9457)."
)
Json = dict[str, Any]

_HEADERS: dict[str, Json] = {
    "X-Request-ID": {
        "description": "Names this exchange in the log: yours where you sent a sane one.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,128}$"},
    },
    "ETag": {"description": "The version of what you read.", "schema": {"type": "string"}},
    "Location": {"description": "Where it is.", "schema": {"type": "string"}},
    "Link": {"description": "The next page (RFC 8288).", "schema": {"type": "string"}},
    "WWW-Authenticate": {"description": "RFC 6750, 3.", "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}},
    "RateLimit": {"description": "What is left, and for how long.", "schema": {"type": "string"}},
    "RateLimit-Policy": {"description": "What is allowed.", "schema": {"type": "string"}},
    "Idempotent-Replayed": {
        "description": "This is the first answer to this Idempotency-Key, once more.",
        "schema": {"type": "string", "enum": ["true"]},
    },
}
_ALWAYS = ("X-Request-ID", "RateLimit", "RateLimit-Policy")
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Makes a repeat safe: for 24 hours it gets the first answer again.",
    "schema": {"type": "string", "minLength": 1, "maxLength": KEY_MAX + 2},
    "example": '"8e03978e-40d5-43dd-bc93-6894a57f9324"',
}
_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "description": "The ETag of what you have read: the change is made to that version or none.",
    "schema": {"type": "string"},
    "example": '"1"',
}
_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "description": "The ETag of what you have: 304 while that is current.",
    "schema": {"type": "string"},
    "example": '"1"',
}


class Fault(Schema):
    pointer = fields.String(metadata={"description": "Into the body (RFC 6901)."})
    parameter = fields.String(metadata={"description": "Of the query."})
    detail = fields.String(required=True)


class Problem(Schema):
    """RFC 9457."""

    type = fields.String(required=True, metadata={"description": "A page that explains it."})
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    instance = fields.String(required=True)
    request_id = fields.String(required=True)
    errors = fields.List(fields.Nested(Fault))


def build(app: Flask) -> Json:
    """The document for the routes of `app` under /api/v1."""
    plugin = MarshmallowPlugin(schema_name_resolver=_name)
    spec = APISpec("Flagstone", VERSION, "3.1.0", plugins=[plugin])
    spec.options["info"] = {"description": DESCRIPTION, "license": _LICENSE}
    spec.options["servers"] = [{"url": app.config["PUBLIC_URL"]}]
    spec.components.security_scheme("bearer", {"type": "http", "scheme": "bearer"})
    spec.components.schema("Problem", schema=Problem)
    for name, header in _HEADERS.items():
        spec.components.header(name, header)
    for rule, method, operation, summary in operations(app):
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        spec.path(path, operations={method: _operation(plugin, rule, operation, summary)})
    return spec.to_dict()


_LICENSE = {"name": "MIT", "identifier": "MIT"}


def operations(app: Flask) -> Iterator[tuple[Rule, str, Operation, str]]:
    """Every operation: its route, method ("get"), declaration and description."""
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        view = app.view_functions[rule.endpoint]
        operation = getattr(view, "operation", None)
        if operation is not None:
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield rule, method.lower(), operation, view.__doc__ or ""


def _name(schema: Any) -> str:
    instance = schema() if isinstance(schema, type) else schema
    name = type(instance).__name__.removesuffix("Out")
    return f"{name}Partial" if instance.partial else name


def _operation(plugin: MarshmallowPlugin, rule: Rule, operation: Operation, text: str) -> Json:
    resource, view = rule.endpoint.split(".")[1:]
    found: Json = {
        "operationId": f"{resource}_{view}",
        "tags": [resource],
        "summary": operation.summary,
        "parameters": list(_parameters(plugin, rule, operation)),
        "responses": _responses(rule, operation),
        "security": [],
    }
    if text:
        found["description"] = text
    if operation.scopes is not None:
        found["security"] = [{"bearer": [scope]} for scope in operation.scopes] or [{"bearer": []}]
    if operation.body is not None:
        content = {kind: _content(operation.body) for kind in operation.body_types}
        found["requestBody"] = {"required": True, "content": content}
    return found


def _content(schema: Schema) -> Json:
    content: Json = {"schema": schema}
    if example := getattr(schema, "example", None):
        content["example"] = example
    return content


def _parameters(plugin: MarshmallowPlugin, rule: Rule, operation: Operation) -> Iterator[Json]:
    for name in sorted(rule.arguments):
        kind = {"type": "string", "format": "uuid"} if name.endswith("_id") else {"type": "string"}
        yield {"name": name, "in": "path", "required": True, "schema": kind}
    if operation.if_match:
        yield _IF_MATCH
    if operation.idempotent:
        yield _IDEMPOTENCY_KEY
    if operation.etag and "GET" in (rule.methods or ()):
        yield _IF_NONE_MATCH
    for name, field in (operation.query.fields if operation.query else {}).items():
        assert plugin.converter is not None  # noqa: S101 - set by APISpec
        kind = plugin.converter.field2property(field)
        parameter: Json = {"name": name, "in": "query", "schema": kind}
        if description := kind.pop("description", None):
            parameter["description"] = description
        yield parameter


def _responses(rule: Rule, operation: Operation) -> Json:
    success: Json = {"description": operation.summary, "headers": _headers(*_ALWAYS)}
    if operation.returns is not None:
        schema = _page(operation.returns) if operation.lists else operation.returns
        content = _content(operation.returns) if not operation.lists else {"schema": schema}
        success["content"] = {"application/json": content}
    for name, carried in (
        ("ETag", operation.etag),
        ("Location", operation.location),
        ("Link", operation.lists),
        ("Idempotent-Replayed", operation.idempotent),
    ):
        if carried:
            success["headers"].update(_headers(name))
    found = {str(operation.status): success}
    if operation.etag and operation.status == 200:
        found["304"] = {"description": "You have it.", "headers": _headers(*_ALWAYS, "ETag")}
    by_status: dict[int, list[type[AppError]]] = {}
    for kind in _kinds(operation, rule.methods or ()):
        by_status.setdefault(kind.status, []).append(kind)
    for status, kinds in sorted(by_status.items()):
        found[str(status)] = _problem(status, kinds)
    return found


def _kinds(operation: Operation, methods: Collection[str]) -> Iterator[type[AppError]]:
    yield errors.Malformed
    yield from operation.errors
    if operation.scopes is not None:
        yield from (errors.Unauthorized, errors.InvalidToken)
    if operation.scopes:
        yield errors.InsufficientScope
    if operation.body is not None:
        yield from (errors.ContentTooLarge, errors.UnsupportedMediaType, errors.Invalid)
    if operation.if_match:
        yield errors.PreconditionRequired
    if operation.idempotent:
        yield from (errors.Conflict, errors.IdempotencyKeyReused)
    elif "POST" in methods:
        yield errors.IdempotencyNotSupported
    yield from (errors.InvalidParameter, errors.TooManyRequests, errors.Unavailable)


def _problem(status: int, kinds: list[type[AppError]]) -> Json:
    names = list(_ALWAYS)
    if status == 401:
        names.append("WWW-Authenticate")
    elif status in (429, 503):
        names.append("Retry-After")
    return {
        "description": "; ".join(f"{kind.title} (/problems/{kind.slug})" for kind in kinds),
        "headers": _headers(*names),
        "content": {PROBLEM: {"schema": Problem}},
    }


def _headers(*names: str) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _page(item: Schema) -> Json:
    return {
        "type": "object",
        "required": ["items", "next_cursor"],
        "properties": {
            "items": {"type": "array", "items": item},
            "next_cursor": {"type": ["string", "null"]},
            "total": {"type": "integer", "description": "Where count=true asked for it."},
        },
    }
