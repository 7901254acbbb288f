"""The answer to a request whose head Gunicorn cannot read.

Gunicorn's own answer has none of the app's headers, and Gunicorn logs the unreadable line, which
may hold the secret of a link. So the readable part of the head goes through the app, which raises
the refusal in place of a view: answer and log line are like any other.
"""

import re
from collections.abc import Iterator
from contextlib import closing
from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes, urlsplit

from gunicorn.http.errors import (
    ExpectationFailed,
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
    UnsupportedTransferCoding,
)
from werkzeug.http import http_date
from werkzeug.wsgi import ClosingIterator

from app.errors import Refused
from app.web.middleware import REFUSAL

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

STATUS = {
    LimitRequestLine: HTTPStatus.REQUEST_URI_TOO_LONG,
    LimitRequestHeaders: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    ExpectationFailed: HTTPStatus.EXPECTATION_FAILED,
    UnsupportedTransferCoding: HTTPStatus.NOT_IMPLEMENTED,
}
PATH_MAX = 2000  # characters of a path that an answer repeats
# The headers that the answer and its log line depend on.
HEADERS = frozenset({"X-REQUEST-ID", "ORIGIN", "X-FORWARDED-FOR"})
_METHOD = re.compile("[A-Z]{3,20}")


def answer(app: "WSGIApplication", error: Exception, head: bytes, address: str) -> bytes:
    """Return the whole answer, the last one of the connection.

    `head` is the received part of the request's head, `address` that of the client.
    """
    environ = environ_of(head, address)
    environ[REFUSAL] = error
    if isinstance(error, ParseException):
        environ[REFUSAL] = Refused(STATUS.get(type(error), HTTPStatus.BAD_REQUEST))
        environ[REFUSAL].__cause__ = error
    lines: list[str] = []

    def start(status: str, headers: list[tuple[str, str]], _exc_info: Any = None) -> Any:
        lines.append(f"HTTP/1.1 {status}")
        lines.extend(f"{name}: {value}" for name, value in headers)

    with closing(ClosingIterator(app(environ, start))) as parts:
        content = b"".join(parts)
    lines.extend((f"Date: {http_date()}", "Connection: close", "", ""))
    return "\r\n".join(lines).encode("latin-1") + content


def environ_of(head: bytes, address: str) -> "WSGIEnvironment":
    """Return a WSGI environment without a body. PATH_INFO is empty for a bad request line."""
    first, *lines = head.lstrip(b"\r\n").decode("latin-1").split("\r\n")
    method, path = _request_line(first)
    return {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": "",
        "REMOTE_ADDR": address,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(),
        **dict(_headers(lines)),
    }


def _request_line(line: str) -> tuple[str, str]:
    """Return method and path, each empty if unreadable."""
    method, _, rest = line.partition(" ")
    if not _METHOD.fullmatch(method):
        return "", ""
    target, _, version = rest.partition(" ")
    path, query, _ = target.partition("?")
    # A line that is too long may be cut within its query.
    if version not in ("HTTP/1.1", "HTTP/1.0") and not (query and not version):
        return method, ""
    if "://" in path:
        path = urlsplit(path).path
    return method, path if path.startswith("/") and len(path) <= PATH_MAX else ""


def _headers(lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        name, _, value = line.partition(":")
        if name.upper() in HEADERS:
            yield f"HTTP_{name.upper().replace('-', '_')}", value.strip()
