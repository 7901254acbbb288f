"""The JSON API. Each resource is a blueprint of its own, nested in this one."""

from flask import Blueprint, Response, request

from app.api import (
    audit,
    auth,
    bulk,
    comments,
    document,
    exchange,
    factors,
    task_views,
    tasks,
    tokens,
    users,
    webhooks,
)
from app.api.reading import JSON, MERGE_PATCH

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
    task_views,
    comments,
    webhooks,
    audit,
    document,
)
for resource in RESOURCES:
    bp.register_blueprint(resource.bp)


@bp.after_request
def announce_patch(response: Response) -> Response:
    """What a PATCH may be sent as (RFC 5789, 3.1), where one asks or sent something else."""
    if request.method == "OPTIONS":
        patches = "PATCH" in response.headers.get("Allow", "")
    else:
        patches = response.status_code == 415 and request.method == "PATCH"
    if patches:
        response.headers["Accept-Patch"] = f"{JSON}, {MERGE_PATCH}"
    return response
