"""What an orchestrator asks: /healthz whether the process answers, /readyz whether it can work.

Both are open to anybody, answer for any Host, and take no session.
"""

from flask import Blueprint

from app.services.operations import readiness

bp = Blueprint("probes", __name__)


@bp.get("/healthz")
def health() -> dict[str, str]:
    return {"status": "ok"}


@bp.get("/readyz")
def ready() -> dict[str, str]:
    readiness.check()
    return {"status": "ok"}
