"""What an orchestrator asks: /healthz whether the process answers, /readyz whether it can work.

Both are open to anybody, answer for any Host, and take no session.
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
