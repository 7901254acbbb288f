"""GET /metrics for Prometheus, imported only if METRICS_TOKEN is set.

Under Gunicorn each answer holds the sums of all worker processes. The outbox is counted at each
request.
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
from app.product import SLUG
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
    """Figures of the database, which all replicas share: use the answer of one replica only."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            due, oldest = outbox.overdue()
        except Unavailable:
            yield gauge("database_up", "1 if the database answers, 0 if not.", 0)
            return
        age = (now() - oldest).total_seconds() if oldest else 0
        yield gauge("database_up", "1 if the database answers, 0 if not.", 1)
        yield gauge("outbox_due", "Due mails and webhooks that are not sent.", due)
        yield gauge("outbox_oldest_due_seconds", "Age of the oldest due entry in seconds.", age)
        yield gauge("outbox_dead", "Entries given up within the last 30 days.", outbox.dead())


def gauge(name: str, meaning: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{SLUG}_{name}", meaning, value=value)
