"""The probes of an orchestrator: /healthz (the process answers) and /readyz (it can do its work).

Both need no sign-in, accept any Host and read no session.
"""

from flask import Blueprint, Response

from app.services.operations import readiness

bp = Blueprint("probes", __name__)
OK = b'{"status":"ok"}\n'


@bp.get("/healthz")
def health() -> Response:
    return Response(OK, content_type="application/json")


@bp.get("/readyz")
def ready() -> Response:
    readiness.check()
    return Response(OK, content_type="application/json")
