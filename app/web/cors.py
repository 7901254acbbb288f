"""The CORS headers for the origins that may call the API (CORS_ORIGINS), without credentials.

A WSGI middleware around the whole app, so that those pages can read error answers too
(Fetch standard, 3.2). Without CORS_ORIGINS the middleware is not installed.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, current_app, request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

EXPOSED = (
    "ETag, Link, Location, RateLimit, RateLimit-Policy, Retry-After, X-Request-ID, Deprecation,"
    " Sunset, Idempotent-Replayed, Content-Disposition, WWW-Authenticate"
)
ALLOWED = (
    "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-Request-ID,"
    " X-Requested-With, traceparent, tracestate, baggage, sentry-trace"
)
METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
MAX_AGE = "600"  # seconds that a browser may cache the answer to a preflight request


class Cors:
    def __init__(self, app: "WSGIApplication", origins: frozenset[str]) -> None:
        self.app = app
        self.origins = origins

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        if not environ["PATH_INFO"].startswith("/api/"):
            return self.app(environ, start_response)
        origin = environ.get("HTTP_ORIGIN", "")
        allowed = origin in self.origins

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            headers.append(("Vary", "Origin"))
            if allowed:
                headers.append(("Access-Control-Allow-Origin", origin))
                headers.append(("Access-Control-Expose-Headers", EXPOSED))
                if _is_preflight(environ):
                    headers.append(("Access-Control-Allow-Methods", METHODS))
                    headers.append(("Access-Control-Allow-Headers", ALLOWED))
                    headers.append(("Access-Control-Max-Age", MAX_AGE))
                # Else the resource policy of all answers would contradict CORS.
                headers[:] = [h for h in headers if h[0] != "Cross-Origin-Resource-Policy"]
                headers.append(("Cross-Origin-Resource-Policy", "cross-origin"))
            return start_response(status, headers, exc_info)

        return self.app(environ, start)


def _is_preflight(environ: "WSGIEnvironment") -> bool:
    return (
        environ["REQUEST_METHOD"] == "OPTIONS" and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ
    )


def answer_preflight() -> Response | None:
    """Answer a preflight for a path without a route, so that the page can read the later 404."""
    if request.method != "OPTIONS" or request.url_rule or not request.path.startswith("/api/"):
        return None
    is_ours = request.headers.get("Origin") in current_app.config["CORS_ORIGINS"]
    return Response() if is_ours and _is_preflight(request.environ) else None


def init_app(app: Flask) -> None:
    if origins := app.config["CORS_ORIGINS"]:
        app.before_request(answer_preflight)
        app.wsgi_app = Cors(app.wsgi_app, origins)  # type: ignore[method-assign]
