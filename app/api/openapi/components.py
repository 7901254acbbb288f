"""The parts that the operations of the OpenAPI document share."""

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
        "description": "Names this exchange in the log: yours where you sent a sane one.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,128}$"},
    },
    "ETag": {"description": "The version of what you read.", "schema": {"type": "string"}},
    "Location": {"description": "Where it is.", "schema": {"type": "string"}},
    "Link": {"description": "The next page (RFC 8288).", "schema": {"type": "string"}},
    "WWW-Authenticate": {"description": "RFC 6750, 3.", "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}},
    "Accept-Encoding": {
        "description": "`identity`, where the body had a Content-Encoding (RFC 9110, 12.5.3).",
        "schema": {"type": "string"},
    },
    "Accept-Patch": {
        "description": "What a PATCH may be sent as (RFC 5789).",
        "schema": {"type": "string"},
    },
    "Content-Disposition": {"description": "A file to save.", "schema": {"type": "string"}},
    "Deprecation": {"description": "Since when (RFC 9745).", "schema": {"type": "string"}},
    "Sunset": {"description": "When it will be gone (RFC 8594).", "schema": {"type": "string"}},
    "RateLimit": {"description": "What is left, and for how long.", "schema": {"type": "string"}},
    "RateLimit-Policy": {"description": "What is allowed.", "schema": {"type": "string"}},
    "Idempotent-Replayed": {
        "description": "This is the first answer to this Idempotency-Key, once more.",
        "schema": {"type": "string", "enum": ["true"]},
    },
}
ALWAYS = ("X-Request-ID", "RateLimit", "RateLimit-Policy")
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Makes a repeat safe: for 24 hours it gets the first answer again.",
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
    "description": "The ETag of what you have read: the change is made to that version or none.",
    "schema": {"type": "string"},
    "example": '"1"',
}
REQUIRED = {
    **IF_MATCH,
    "description": "The ETag of the version to answer with: 412 where that is not current.",
}
IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "description": "The ETag of what you have: 304 while that is current.",
    "schema": {"type": "string"},
    "example": '"1"',
}
EXCLUDED = {
    **IF_NONE_MATCH,
    "description": "The ETag of a version that is not to be changed, or `*`: 412 where that is"
    " current.",
}

REQUEST_ID = {
    "description": "A name of yours for this exchange, which comes back and stands in the log:"
    " up to 128 of A-Z, a-z, 0-9, `.`, `_`, `-`. In place of any other one is made.",
    "schema": {"type": "string"},
    "example": "checkout-4711",
}


class Fault(Schema):
    line = fields.Integer(metadata={"description": "Of the file, from 1."})
    pointer = fields.String(metadata={"description": "Into the body (RFC 6901)."})
    parameter = fields.String(metadata={"description": "Of the query."})
    code = fields.String(
        required=True,
        validate=validate.OneOf([code.value for code in Code]),
        metadata={"description": "The kind of fault. Codes may be added and are never renamed."},
    )
    detail = fields.String(required=True)


class Problem(Schema):
    """RFC 9457."""

    type = fields.String(required=True, metadata={"description": "A page that explains it."})
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    instance = fields.String(required=True)
    request_id = fields.String(required=True)
    index = fields.Integer(metadata={"description": "Of the operation at fault, from 0."})
    errors = fields.List(fields.Nested(Fault))


def path(name: str) -> Json:
    """A variable part of a path, by its name in the route: "task_id", "username"."""
    record = name.removesuffix("_id")
    if record == name:
        described = {"description": f"A {name}, in any case.", "schema": {"type": "string"}}
    else:
        schema = {"type": "string", "format": "uuid"}
        described = {"description": f"The id of a {record}.", "schema": schema}
    return {"name": name, "in": "path", "required": True, **described}


def problem(kinds: list[type[AppError]], *, patches: bool) -> Json:
    """The answer to an error of one of these kinds, which have one status."""
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
    """Move the answers to errors, which many operations have alike, to the components."""
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
            "total": {"type": "integer", "description": "Where count=true asked for it."},
        },
    }
