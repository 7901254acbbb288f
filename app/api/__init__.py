"""The JSON API. Each resource is a blueprint of its own, nested in this one."""

from flask import Blueprint, Response, request

from app.api import (
    audit,
    auth,
    bulk,
    comments,
    exchange,
    factors,
    task_insights,
    tasks,
    tokens,
    users,
    webhooks,
)
from app.api.http.request_parsing import JSON, MERGE_PATCH
from app.api.openapi import routes as document

bp = Blueprint("api", __name__)
docs = document.page
RESOURCES = (
    auth,
    users,
    factors,
    tokens,
    tasks,
    bulk,
    exchange,
    task_insights,
    comments,
    webhooks,
    audit,
    document,
)
for resource in RESOURCES:
    bp.register_blueprint(resource.bp)


@bp.after_request
def announce_patch(response: Response) -> Response:
    """Add Accept-Patch to OPTIONS of a PATCH route and to 415 of a PATCH (RFC 5789, 3.1)."""
    if request.method == "OPTIONS":
        patches = "PATCH" in response.headers.get("Allow", "")
    else:
        patches = response.status_code == 415 and request.method == "PATCH"
    if patches:
        response.headers["Accept-Patch"] = f"{JSON}, {MERGE_PATCH}"
    return response
