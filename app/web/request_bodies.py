"""A middleware that reads the rest of a request's body before an early answer.

A server closes a connection with an unread body (RFC 9112, 9.3), for the rest would be read as the
next request, and a client without a warning loses its next request. So the middleware reads the
rest, within limits, before the answer begins; beyond the limits it sends `Connection: close`.
"""

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask
from gunicorn.http.errors import ParseException

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

REST_MAX = 16 * 2**20  # bytes: more than any operation accepts
REST_TIMEOUT = 5  # seconds for the whole rest
SILENCE = 2  # seconds without a byte
STEP = 2**16
CLOSE = ("Connection", "close")


class Middleware:
    """The middleware, for servers that end `wsgi.input` with the body, as Gunicorn does."""

    def __init__(self, app: "WSGIApplication") -> None:
        self.app = app

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        has_body = "CONTENT_LENGTH" in environ or "HTTP_TRANSFER_ENCODING" in environ
        if not has_body or not environ.get("wsgi.input_terminated"):
            return self.app(environ, start_response)

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            if CLOSE not in headers and not read_rest(environ):
                headers.append(CLOSE)
            return start_response(status, headers, exc_info)

        return self.app(environ, start)


def read_rest(environ: "WSGIEnvironment") -> bool:
    """Read the rest of the body, and return True if it was read to its end."""
    if int(environ.get("CONTENT_LENGTH") or 0) > REST_MAX:
        return False
    connection = environ.get("gunicorn.socket")
    if connection:
        connection.settimeout(SILENCE)
    try:
        return _reads_to_the_end(environ["wsgi.input"])
    except (OSError, ParseException):  # a timeout, or a malformed body
        return False
    finally:
        if connection:
            connection.settimeout(None)


def _reads_to_the_end(body: Any) -> bool:
    size, ends = 0, time.monotonic() + REST_TIMEOUT
    while data := body.read(STEP):
        size += len(data)
        if size > REST_MAX or time.monotonic() > ends:
            return False
    return True


def init_app(app: Flask) -> None:
    app.wsgi_app = Middleware(app.wsgi_app)  # type: ignore[method-assign]
