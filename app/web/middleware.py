"""The security headers and the request id of every response, and its log line.

A WSGI middleware, where seven headers cost a tenth of a microsecond, and which also sees the
answers of Flask itself (an error, a redirect, a file).
"""

import logging
import os
import re
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from app import logs
from app.logs import Line

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

REQUEST_ID = "service.request_id"  # the keys in the WSGI environment
ROUTE = "service.route"
USER_ID = "service.user_id"
REFUSAL = "service.refusal"  # the error of a request that the server could not read
RATE = "service.rate"  # the headers of the rate limit

PROBES = frozenset({"/healthz", "/readyz", "/metrics"})  # called by machines every few seconds

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
# Swagger UI shows its icons as data: images.
CSP_DOCS = CSP.replace("img-src 'self'", "img-src 'self' data:")
REFERRER_POLICY = ("Referrer-Policy", "strict-origin-when-cross-origin")
HEADERS = [
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    REFERRER_POLICY,
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cross-Origin-Embedder-Policy", "require-corp"),
]
HSTS = ("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
_SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
_log = logging.getLogger("service.request")


class Middleware:
    """The middleware around the whole application. Logs to "service.request"."""

    def __init__(self, app: "WSGIApplication", *, https: bool) -> None:
        self.app = app
        self.headers = [*HEADERS, HSTS] if https else HEADERS

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        started = time.perf_counter()
        client_id = environ.get("HTTP_X_REQUEST_ID", "")
        request_id = client_id if _SANE_ID.fullmatch(client_id) else os.urandom(16).hex()
        environ[REQUEST_ID] = request_id

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            names = {name.lower() for name, _ in headers}
            if "cache-control" not in names:
                headers.append(("Cache-Control", "no-store"))
            if "content-security-policy" not in names:
                headers.append(("Content-Security-Policy", CSP))
            headers.append(("X-Request-ID", request_id))
            headers.extend(environ.get(RATE, ()))
            headers.extend(self.headers)
            if "referrer-policy" in names:  # the view's own: browsers obey the last header
                headers.remove(REFERRER_POLICY)
            level = logging.DEBUG if environ["PATH_INFO"] in PROBES else logging.INFO
            if _log.isEnabledFor(level):
                _log.log(level, "%s", _line(environ, status, started))
            return start_response(status, headers, exc_info)

        return self.app(environ, start)


def _line(environ: "WSGIEnvironment", status: str, started: float) -> Line:
    line = Line(
        request_id=environ[REQUEST_ID],
        method=environ["REQUEST_METHOD"],
        # The pattern, not the path: a path may hold a secret (a password reset link).
        route=environ.get(ROUTE, ""),
        status=int(status[:3]),
        milliseconds=round((time.perf_counter() - started) * 1000, 2),
        user_id=environ.get(USER_ID, ""),
        address=environ.get("REMOTE_ADDR", ""),
    )
    if refusal := environ.get(REFUSAL):
        line["refused"] = type(refusal.__cause__ or refusal).__name__
    return line


def init_app(app: Flask) -> None:
    app.wsgi_app = Middleware(app.wsgi_app, https=app.config["HTTPS"])  # type: ignore[method-assign]
    if hops := app.config["PROXY_HOPS"]:
        app.wsgi_app = ProxyFix(app.wsgi_app, hops, hops, hops)  # type: ignore[method-assign]
    logs.set_up(app.config["LOG_LEVEL"], app.config["LOG_FORMAT"])
