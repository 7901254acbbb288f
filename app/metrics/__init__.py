"""GET /metrics, for Prometheus. Only where METRICS_TOKEN is set is any of this imported.

Under Gunicorn it tells of all worker processes together, whichever of them answers; the outbox is
looked at when asked.
"""

import hmac
from collections.abc import Iterator

from flask import Blueprint, Flask, Response, current_app, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from app.errors import Unauthorized, Unavailable
from app.extensions import db
from app.metrics import figures, shared
from app.models.types import now
from app.services.outbox import outbox

bp = Blueprint("metrics", __name__)


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
    app.wsgi_app = figures.Middleware(app.wsgi_app)  # type: ignore[method-assign]
    app.extensions["metrics"] = figures
    with app.app_context():
        figures.watch(db.engine, app.config["DATABASE_POOL_SIZE"])


@bp.get("/metrics")
def show() -> Response:
    scheme, _, token = request.environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    wanted = current_app.config["METRICS_TOKEN"]
    known = hmac.compare_digest(token.strip().encode(), wanted.encode())
    if scheme.lower() != "bearer" or not known:
        raise Unauthorized("Send METRICS_TOKEN: Authorization: Bearer <token>.")
    counted = shared.registry() or figures.here
    body = generate_latest(counted) + generate_latest(looked_up())
    return Response(body, content_type=CONTENT_TYPE_LATEST)


def looked_up() -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(Database())
    return registry


class Database(Collector):
    """What stands in the database, which all replicas share: of several answers take one."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            due, oldest = outbox.overdue()
        except Unavailable:
            yield gauge("database_up", "Whether the database answers.", 0)
            return
        age = (now() - oldest).total_seconds() if oldest else 0
        yield gauge("database_up", "Whether the database answers.", 1)
        yield gauge("outbox_due", "Mails and webhooks that are due and not sent.", due)
        yield gauge("outbox_oldest_due_seconds", "For how long the first of them is due.", age)
        yield gauge("outbox_dead", "Those given up within the last 30 days.", outbox.dead())


def gauge(name: str, meaning: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"flagstone_{name}", meaning, value=value)
