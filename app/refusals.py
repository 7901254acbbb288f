"""The answer to what Gunicorn itself refuses: a request that is none, and never reaches the app.

Gunicorn's own has no header of ours, and its log repeats the line that it could not read, in which
may stand the secret of a link.
"""

import logging
import secrets
from http import HTTPStatus
from typing import Any

import orjson
from gunicorn.http.errors import (
    ExpectationFailed,
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
    UnsupportedTransferCoding,
)

from app.errors import AppError, Malformed
from app.logs import Line
from app.security import always

STATUS = {
    LimitRequestLine: HTTPStatus.REQUEST_URI_TOO_LONG,
    LimitRequestHeaders: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    ExpectationFailed: HTTPStatus.EXPECTATION_FAILED,
    UnsupportedTransferCoding: HTTPStatus.NOT_IMPLEMENTED,
}
_requests = logging.getLogger("flagstone.request")
_errors = logging.getLogger("flagstone.error")


def answer(error: Exception, address: str, *, https: bool) -> bytes:
    """The whole of it, with the request's one line in the log. The connection ends with it."""
    request_id = secrets.token_hex(16)
    if isinstance(error, ParseException):
        status = STATUS.get(type(error), HTTPStatus.BAD_REQUEST)
        problem: AppError = Malformed("The request cannot be read.")
    else:
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        problem = AppError("Something went wrong on our side. The error has been logged.")
        _errors.error("request %s failed", request_id, exc_info=error)
    line = {"refused": type(error).__name__, "status": int(status), "address": address}
    _requests.info("%s", Line(request_id=request_id, **line))
    return _written(status, problem, request_id, always(request_id, https=https))


def _written(
    status: HTTPStatus, problem: AppError, request_id: str, headers: list[tuple[str, str]]
) -> bytes:
    # As for a program, because nothing is known of who asked.
    body: dict[str, Any] = {
        "type": f"/problems/{problem.slug}",
        "title": problem.title,
        "status": status,
        "detail": problem.message,
        "request_id": request_id,
    }
    content = orjson.dumps(body)
    lines = [
        f"HTTP/1.1 {status.value} {status.phrase}",
        "Connection: close",
        "Content-Type: application/problem+json",
        f"Content-Length: {len(content)}",
        *(f"{name}: {value}" for name, value in headers),
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + content
