"""Routes of the OpenAPI document and of the page that displays it."""

import functools
import hashlib

import orjson
from flask import Blueprint, Flask, Response, current_app, render_template, request
from marshmallow import Schema, fields

from app.api.http import request_parsing, responses as answer
from app.api.http.operation import operation
from app.api.openapi import document as openapi
from app.schemas.fields import Text
from app.services.shared.actor import Actor
from app.web.middleware import CSP_DOCS

bp = Blueprint("document", __name__)
page = Blueprint("docs", __name__)


class OpenApi(Schema):
    openapi = Text(required=True, metadata={"example": openapi.OPENAPI})
    info = fields.Dict(required=True)
    servers = fields.List(fields.Dict(), required=True)
    paths = fields.Dict(required=True)
    components = fields.Dict(required=True)
    tags = fields.List(fields.Dict(), required=True)


@bp.get("/openapi.json")
@operation(
    id="getOpenApiDocument",
    summary="Get the OpenAPI document",
    scopes=None,
    returns=OpenApi(),
    etag=True,
)
def openapi_json(_origin: Actor) -> Response:
    content, etag = _document(current_app._get_current_object())  # type: ignore[attr-defined]
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    if request_parsing.is_current(request, etag):
        return answer.empty(304, headers)
    return Response(content, headers=headers, content_type="application/json")


@page.get("/docs")
def docs() -> Response:
    headers = {"Content-Security-Policy": CSP_DOCS}
    return Response(render_template("api/docs.html"), headers=headers)


@functools.cache
def _document(app: Flask) -> tuple[bytes, str]:
    content = orjson.dumps(openapi.build(app), option=orjson.OPT_INDENT_2)
    return content, f'"{hashlib.sha256(content).hexdigest()[:16]}"'
