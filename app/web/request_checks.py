"""The checks of every request that need no user: host, rate limit, cross-site forms, CSRF token."""

from contextlib import suppress
from typing import Any

from flask import Flask, Request, Response, after_this_request, current_app, g, request, session
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge

from app.errors import AppError
from app.extensions import csrf
from app.services.accounts import unsent_forms
from app.services.authentication import secret_tokens
from app.services.shared.actor import Actor
from app.services.shared.client_networks import network_of
from app.web import form_marks, rate_limit
from app.web.middleware import PROBES, REFUSAL, ROUTE

API = "/api/"
# Pages that need no sign-in. Their forms refuse a stale token themselves and are rendered again
# (app.pages.forms.Form.validate).
DRAWN_AGAIN = frozenset(
    {
        "auth.login",
        "auth.register",
        "auth.two_factor.show",
        "auth.links.forgot",
        "auth.links.reset",
        "auth.links.invite",
        "auth.links.confirm",
        "auth.links.undo",
    }
)
STATIC = "/static/"
TAKEN = frozenset({200, 302, 303, 409, 412, 422})  # statuses after which a form needs no copy


def init_app(app: Flask) -> None:
    app.before_request(check_request)


def is_api(path: str) -> bool:
    """Return True if programs call the path: they get JSON, also for an error."""
    # By path, not by blueprint: a URL that matches no route has no blueprint.
    return path.startswith(API) or path in PROBES


def is_page(path: str) -> bool:
    """Return True if people open the path in a browser."""
    return not is_api(path) and not path.startswith(STATIC)


def check_request() -> None:
    """Raise for an unknown host, and on the pages for too many requests and a forged form."""
    call: Request = request._get_current_object()  # type: ignore[attr-defined]  # no proxy
    environ, path = call.environ, call.path
    environ[ROUTE] = call.url_rule.rule if call.url_rule else ""
    if REFUSAL in environ:
        raise environ[REFUSAL]
    if "CONTENT_LENGTH" in environ:  # without the flag Werkzeug refuses a body that ends too early
        environ.pop("wsgi.input_terminated", None)
    # Probes call an IP address, not a name.
    if path not in PROBES and _host_name(environ) not in current_app.config["KNOWN_HOSTS"]:
        raise BadRequest("This host name is not served here.")
    if is_api(path):
        return
    if not path.startswith(STATIC):
        rate_limit.hit(environ, _visitor())
    if call.url_rule is not None:
        _refuse_cross_site()
        if call.method == "POST":
            _require_whole_form()
        _check_token(call, call.url_rule.endpoint)


def _check_token(call: Request, endpoint: str) -> None:
    """Raise CSRFError for a form without this session's token, or mark the form as stale."""
    try:
        csrf.protect()
    except CSRFError:
        if endpoint not in DRAWN_AGAIN:
            raise
        g.stale_form = True
    if call.method == "POST" and unsent_forms.MARK in call.form:
        after_this_request(_forget_sent_form)


def _forget_sent_form(response: Response) -> Response:
    """Delete the copy of a form that was sent again and accepted, or that its page shows again."""
    if response.status_code in TAKEN:
        with suppress(AppError):  # the copy expires by itself
            author = Actor(id=form_marks.author() or "")
            unsent_forms.discard(author, request.form[unsent_forms.MARK])
    return response


def _visitor() -> str:
    """Return the key of the rate limit: the cookie's session, else the network. No statement."""
    secret = session.get("_user_id")  # Flask-Login's; the cookie is signed
    return secret_tokens.digest(secret) if secret else network_of(request.remote_addr or "")


def _host_name(environ: dict[str, Any]) -> str:
    host: str = environ.get("HTTP_HOST", "").lower()
    name, _, port = host.rpartition(":")
    return name if port.isascii() and port.isdigit() else host


def _require_whole_form() -> None:
    """Raise for a form with a nameless part, or above the limit, where Werkzeug only cuts it."""
    nameless = None in request.form
    if request.content_length is None and request.environ["wsgi.input"].read(1):
        raise RequestEntityTooLarge
    if nameless:
        raise BadRequest("A part of the form has no name.")


def _refuse_cross_site() -> None:
    """Raise BadRequest for a form of another site: a second defence beside the CSRF token.

    Sec-Fetch-Site decides alone if the browser sends it: no page can forge that header, and unlike
    Origin it does not depend on the page's Referrer-Policy.
    """
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None:
        foreign = site not in ("same-origin", "none")
    else:
        foreign = origin is not None and origin.partition("://")[2] != request.host
    if foreign:
        raise BadRequest("The form was sent from another site.")
