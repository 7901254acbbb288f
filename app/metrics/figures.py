"""Counters of requests, connections and sign-ins.

Labels have few values: the route's pattern and never a path, and the methods of HTTP only.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from sqlalchemy import Engine, event

from app.metrics import shared
from app.product import SLUG
from app.services.shared import audit
from app.web.middleware import ROUTE

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
# The counted audit actions, each with its outcome.
SIGN_INS = {"session.created": "accepted", "session.refused": "refused"}

here = CollectorRegistry()  # of this process only
requests = Histogram(
    f"{SLUG}_http_request_duration_seconds",
    "Requests and the time until their responses began.",
    ("method", "route", "status"),
    buckets=SECONDS,
    registry=here,
)
in_flight = Gauge(
    f"{SLUG}_http_requests_in_flight",
    "Requests whose responses have not ended.",
    registry=here,
    multiprocess_mode="livesum",
)
connections = Gauge(
    f"{SLUG}_database_connections_in_use",
    "Database connections in use.",
    registry=here,
    multiprocess_mode="livesum",
)
connections_max = Gauge(
    f"{SLUG}_database_connections_max",
    "Database connections that the processes may hold.",
    registry=here,
    multiprocess_mode="livesum",
)
sign_ins = Counter(
    f"{SLUG}_sign_ins",
    "Sign-ins by their outcome.",
    ("outcome",),
    registry=here,
)


class Held:
    """A gauge of the things that are held at the moment.

    It counts a set and so cannot drift: the release of a thing that is not held changes nothing.
    """

    def __init__(self, gauge: Gauge) -> None:
        self.gauge = gauge
        self.things: set[object] = set()
        self.lock = threading.Lock()

    def take(self, thing: object) -> None:
        with self.lock:
            self.things.add(thing)
            self.gauge.set(len(self.things))

    def release(self, thing: object) -> None:
        with self.lock:
            self.things.discard(thing)
            self.gauge.set(len(self.things))

    def release_all(self) -> None:
        with self.lock:
            self.things.clear()
            self.gauge.set(0)


requests_held = Held(in_flight)
connections_held = Held(connections)


class Middleware:
    """A WSGI middleware that counts every request, even if Flask does not see its end."""

    def __init__(self, app: "WSGIApplication") -> None:
        self.app = app
        self.known: dict[tuple[str, str, str], Histogram] = {}

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        started = time.perf_counter()
        request = object()
        requests_held.take(request)

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            key = (environ["REQUEST_METHOD"], environ.get(ROUTE, ""), status[0])
            observed = self.known.get(key) or self._new(key)
            observed.observe(time.perf_counter() - started)
            return start_response(status, headers, exc_info)

        try:
            body: Iterable[bytes] = self.app(environ, start)
        except BaseException:
            requests_held.release(request)
            raise
        sent_by_the_server = environ.get("wsgi.file_wrapper")
        if sent_by_the_server is None or type(body) is not sent_by_the_server:
            return Body(body, request)
        requests_held.release(request)
        return body

    def _new(self, key: tuple[str, str, str]) -> Histogram:
        method, route, status = key
        if method not in METHODS:
            return requests.labels("other", route, f"{status}xx")
        made = self.known[key] = requests.labels(method, route, f"{status}xx")
        return made


class Body:
    """A response body that releases its request when it is closed."""

    def __init__(self, parts: Iterable[bytes], request: object) -> None:
        self.parts = parts
        self.request = request
        self.close_parts: Callable[[], None] | None = getattr(parts, "close", None)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.parts)

    def close(self) -> None:
        requests_held.release(self.request)
        if self.close_parts:
            self.close_parts()


def watch(engine: Engine, pool_size: int) -> None:
    """Count the connections that are checked out of the engine's pool.

    The pool also emits "checkin" after a failed reconnect, where no connection was checked out. It
    emits "detach" and no "checkin" for a detached connection.
    """
    if not shared.is_shared():
        connections_max.set(pool_size)
    event.listen(engine, "checkout", lambda _c, record, _proxy: connections_held.take(record))
    for end in ("checkin", "detach"):
        event.listen(engine, end, lambda _c, record: connections_held.release(record))


def after_fork(pool_size: int) -> None:
    """Start the counts of a worker process: its slot may hold the gauges of a killed process."""
    shared.take_slot()
    requests_held.release_all()
    connections_held.release_all()
    connections_max.set(pool_size)


def count_action(action: str) -> None:
    if outcome := SIGN_INS.get(action):
        sign_ins.labels(outcome).inc()


audit.observers.append(count_action)
