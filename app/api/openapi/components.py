"""Shared components of the OpenAPI document: headers, parameters, problems and pages."""

from typing import Any

from marshmallow import Schema, fields, validate

from app.errors import (
    AppError,
    InsufficientScope,
    StillRunning,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    UnsupportedMediaType,
)
from app.faults import Code
from app.models.idempotency_record import KEY_MAX

PROBLEM = "application/problem+json"
Json = dict[str, Any]

HEADERS: dict[str, Json] = {
    "X-Request-ID": {
        "description": "The id of the request in the log: the client's, if it sent a valid one.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,128}$"},
    },
    "ETag": {"description": "The version of the resource.", "schema": {"type": "string"}},
    "Location": {"description": "URL of the new resource.", "schema": {"type": "string"}},
    "Link": {"description": "The next page (RFC 8288).", "schema": {"type": "string"}},
    "WWW-Authenticate": {
        "description": "The challenge (RFC 6750, 3).",
        "schema": {"type": "string"},
    },
    "Retry-After": {"description": "In seconds.", "schema": {"type": "integer"}},
    "Accept-Encoding": {
        "description": "`identity` if the body had a Content-Encoding (RFC 9110, 12.5.3).",
        "schema": {"type": "string"},
    },
    "Accept-Patch": {
        "description": "The media types that PATCH accepts (RFC 5789).",
        "schema": {"type": "string"},
    },
    "Content-Disposition": {"description": "The file name.", "schema": {"type": "string"}},
    "Deprecation": {"description": "Time of deprecation (RFC 9745).", "schema": {"type": "string"}},
    "Sunset": {"description": "Time of removal (RFC 8594).", "schema": {"type": "string"}},
    "RateLimit": {"description": "Remaining requests and seconds.", "schema": {"type": "string"}},
    "RateLimit-Policy": {
        "description": "Allowed requests per window.",
        "schema": {"type": "string"},
    },
    "Idempotent-Replayed": {
        "description": "The response is the stored response of this Idempotency-Key.",
        "schema": {"type": "string", "enum": ["true"]},
    },
}
ALWAYS = ("X-Request-ID", "RateLimit", "RateLimit-Policy")
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Makes a retry safe: for 24 hours it returns the first response again.",
    "schema": {
        "type": "string",
        "minLength": 1,
        "maxLength": KEY_MAX + 2,
        "pattern": r'^("([!#-\[\]-~]|\\["\\])+"|[!#-~][!-~]*)$',
    },
    "example": '"8e03978e-40d5-43dd-bc93-6894a57f9324"',
}
IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "description": "The ETag that you read: the change applies to that version only.",
    "schema": {"type": "string"},
    "example": '"1"',
}
REQUIRED = {
    **IF_MATCH,
    "description": "The ETag of the version to return: 412 if it is not current.",
}
IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "description": "The ETag of your copy: 304 if it is current.",
    "schema": {"type": "string"},
    "example": '"1"',
}
EXCLUDED = {
    **IF_NONE_MATCH,
    "description": "The ETag of a version that must not change, or `*`: 412 if it is current.",
}

REQUEST_ID = {
    "description": "Your id for this request, up to 128 of A-Z, a-z, 0-9, `.`, `_`, `-`. The"
    " response and the log contain it. The service replaces an invalid id.",
    "schema": {"type": "string"},
    "example": "checkout-4711",
}


class Fault(Schema):
    line = fields.Integer(metadata={"description": "Line of the file, from 1."})
    pointer = fields.String(metadata={"description": "JSON Pointer into the body (RFC 6901)."})
    parameter = fields.String(metadata={"description": "Name of the query parameter."})
    code = fields.String(
        required=True,
        validate=validate.OneOf([code.value for code in Code]),
        metadata={"description": "The kind of fault. New codes may appear; none is renamed."},
    )
    detail = fields.String(required=True)


class Problem(Schema):
    """A problem document (RFC 9457)."""

    type = fields.String(required=True, metadata={"description": "URL that explains the problem."})
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    instance = fields.String(required=True)
    request_id = fields.String(required=True)
    index = fields.Integer(metadata={"description": "Index of the failing operation, from 0."})
    errors = fields.List(fields.Nested(Fault))


def path(name: str) -> Json:
    """Return a path parameter by its name in the route: "task_id", "username"."""
    record = name.removesuffix("_id")
    if record == name:
        described = {"description": f"A {name}, in any case.", "schema": {"type": "string"}}
    else:
        schema = {"type": "string", "format": "uuid"}
        described = {"description": f"The id of a {record}.", "schema": schema}
    return {"name": name, "in": "path", "required": True, **described}


def problem(kinds: list[type[AppError]], *, patches: bool) -> Json:
    """Return the response for errors of these kinds, which share one status."""
    carried: dict[str, tuple[type[AppError], ...]] = {
        "WWW-Authenticate": (Unauthorized, InsufficientScope),
        "Retry-After": (StillRunning, TooManyRequests, Unavailable),
        "Accept-Encoding": (UnsupportedMediaType,),
        "Accept-Patch": (UnsupportedMediaType,) if patches else (),
    }
    names = [n for n, of in carried.items() if any(issubclass(kind, of) for kind in kinds)]
    examples = {kind.slug: {"$ref": f"#/components/examples/{kind.slug}"} for kind in kinds}
    return {
        "description": "; ".join(f"{kind.title} (/problems/{kind.slug})" for kind in kinds),
        "headers": headers(*ALWAYS, *names),
        "content": {PROBLEM: {"schema": Problem, "examples": examples}},
    }


def share_problems(document: Json) -> None:
    """Move error responses to the components: many operations have the same ones."""
    shared: Json = document["components"].setdefault("responses", {})
    for operations in document["paths"].values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                if PROBLEM in response.get("content", {}):
                    hints = ["patch"] if "Accept-Patch" in response["headers"] else []
                    if status == "409" and "Retry-After" in response["headers"]:
                        hints.append("retry")
                    name = "-".join([status, *response["content"][PROBLEM]["examples"], *hints])
                    shared[name] = response
                    operation["responses"][status] = {"$ref": f"#/components/responses/{name}"}


def headers(*names: str) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def page(item: Schema) -> Json:
    return {
        "type": "object",
        "required": ["items", "next_cursor"],
        "properties": {
            "items": {"type": "array", "items": item},
            "next_cursor": {"type": ["string", "null"]},
            "total": {"type": "integer", "description": "Present if count=true."},
        },
    }
