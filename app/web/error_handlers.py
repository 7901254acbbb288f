"""The answer to every error: problem+json (RFC 9457) under /api/, a page elsewhere."""

import logging
from typing import Any

import orjson
from flask import Flask, Response, render_template, request
from flask.typing import ResponseReturnValue
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import HTTPException

from app import errors
from app.errors import AppError, InvalidLines, InvalidParameter, InvalidToken, Unavailable
from app.models import User
from app.product import SLUG
from app.schemas.strict_json import pointer
from app.services.accounts import unsent_forms
from app.services.operations import readiness
from app.services.users import users
from app.sql import MissingReference
from app.web import form_marks
from app.web.middleware import REQUEST_ID, USER_ID
from app.web.request_bodies import CLOSE
from app.web.request_checks import is_api

PASSING = (429, 503)  # temporary: the same form may be sent again
REALM = f'Bearer realm="{SLUG}"'
# The general kind of problem for each status, for the HTTP errors of Werkzeug.
_PLAIN: list[type[AppError]] = [AppError, *AppError.__subclasses__()]
BY_STATUS = {kind.status: kind for kind in reversed(_PLAIN)}  # the first of a status wins
# Messages in place of Werkzeug's.
_WORDS = {
    404: "There is nothing at this address.",
    405: "This address does not accept {method}.",
    413: "The body is too large.",
}
_log = logging.getLogger("service.error")


def init_app(app: Flask) -> None:
    app.register_error_handler(AppError, on_app_error)
    app.register_error_handler(errors.Refused, on_refused)
    app.register_error_handler(HTTPException, on_http_error)
    app.register_error_handler(ParseException, on_unreadable)
    app.register_error_handler(Exception, on_bug)


def problems() -> dict[str, type[AppError]]:
    """Return every kind of problem by its slug, for the pages that explain them."""
    classes = [AppError]
    kinds: dict[str, type[AppError]] = {}
    for kind in classes:
        classes.extend(kind.__subclasses__())
        kinds.setdefault(kind.slug, kind)  # not the kinds that inherit the slug
    return kinds


def on_app_error(error: AppError) -> ResponseReturnValue:
    if isinstance(error, MissingReference) and _own_account_is_gone(error):
        error = InvalidToken("Your account was closed in the meantime.")
    headers: dict[str, str] = {}
    if error.status == 401:
        headers["WWW-Authenticate"] = REALM
        if isinstance(error, InvalidToken):
            headers["WWW-Authenticate"] += ', error="invalid_token"'
    elif isinstance(error, errors.InsufficientScope):
        challenge = f'{REALM}, error="insufficient_scope", scope="{error.scope}"'
        headers["WWW-Authenticate"] = challenge
    elif isinstance(error, errors.UnsupportedEncoding):
        headers["Accept-Encoding"] = "identity"
    elif isinstance(error, Unavailable | errors.TooManyRequests | errors.StillRunning):
        headers["Retry-After"] = str(error.retry_after)
    if error.status >= 500:  # the answer does not show the cause
        cause = f" ({error.__cause__!r})" if error.__cause__ else ""
        _log.warning("request %s: %s%s", request.environ.get(REQUEST_ID), error.message, cause)
    return _respond(error, headers)


def _own_account_is_gone(error: MissingReference) -> bool:
    """Return True if the key refers to accounts, and the caller's account no longer exists."""
    user_id: str = request.environ.get(USER_ID, "")
    return error.referred == User.__tablename__ and user_id != "" and not users.exists(user_id)


def on_http_error(error: HTTPException) -> ResponseReturnValue:
    if error.code is None or error.code < 400:  # a redirect
        return error.get_response()
    kind = BY_STATUS.get(error.code, errors.Malformed if error.code < 500 else AppError)
    headers = {
        name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")
    }
    return _respond(kind(_detail(error)), headers, error.code)


def _detail(error: HTTPException) -> str:
    if error.code in _WORDS:
        return _WORDS[error.code].format(method=request.method)
    return error.description or error.name


def on_refused(error: errors.Refused) -> ResponseReturnValue:
    """Answer a request that the server cannot read: always in JSON, the client is unknown."""
    return _in_json(error, error.status, {})


def on_unreadable(_error: ParseException) -> ResponseReturnValue:
    """Answer a body that Gunicorn cannot read (a bad chunk), and close the connection."""
    return _respond(errors.Malformed("The body cannot be read."), dict([CLOSE]))


def on_bug(error: Exception) -> ResponseReturnValue:
    explained = readiness.explained(error)
    if isinstance(explained, AppError):
        return on_app_error(explained)
    _log.error("request %s failed", request.environ.get(REQUEST_ID), exc_info=error)
    return _respond(AppError("Something went wrong on our side. The error has been logged."), {})


def _respond(error: AppError, headers: dict[str, str], status: int = 0) -> ResponseReturnValue:
    status = status or error.status
    if is_api(request.path):
        return _in_json(error, status, headers)
    request_id = request.environ[REQUEST_ID]
    resend = _resend() if status in PASSING else []
    page = render_template(
        "errors/error.html",
        error=error,
        status=status,
        request_id=request_id,
        resend=resend,
        secret=bool(unsent_forms.SECRETS & request.form.keys()) if resend else False,
    )
    return page, status, headers


def _resend() -> list[tuple[str, str]]:
    """Return the fields of a form of this site that was refused for a while, to be sent again.

    Passwords and codes are left out: the user enters them again on the form's own page.
    """
    try:
        if request.method != "POST" or request.files or not form_marks.is_current():
            return []
    except HTTPException:  # the form cannot be read
        return []
    dropped = unsent_forms.SECRETS | {form_marks.FIELD}
    return [pair for pair in request.form.items(multi=True) if pair[0] not in dropped]


def _in_json(error: AppError, status: int, headers: dict[str, str]) -> Response:
    body = orjson.dumps(_problem(error, status))
    return Response(body, status, headers, content_type="application/problem+json")


def _problem(error: AppError, status: int) -> dict[str, Any]:
    problem: dict[str, Any] = {
        "type": f"/problems/{error.slug}",
        "title": error.title,
        "status": status,
        "detail": error.message,
        "instance": request.path,
        "request_id": request.environ[REQUEST_ID],
    }
    if not request.environ["PATH_INFO"]:  # the server could not read the path
        del problem["instance"]
    if error.index is not None:
        problem["index"] = error.index
    if isinstance(error, InvalidLines):
        problem["errors"] = error.lines
    elif isinstance(error, InvalidParameter):
        problem["errors"] = [
            {"parameter": name, "code": fault.code, "detail": fault}
            for name, fault in error.fields.items()
        ]
    elif error.fields:
        problem["errors"] = [
            {"pointer": pointer(name), "code": fault.code, "detail": fault}
            for name, fault in error.fields.items()
        ]
    return problem
