"""The door for every request: what comes in at all, before anybody asks who it is."""

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
# Pages for people who need not be signed in. Their forms refuse a stale token by themselves and are
# drawn again (app.pages.forms.Form.validate).
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
TAKEN = frozenset({200, 302, 303, 409, 412, 422})  # answers after which a form needs no copy


def init_app(app: Flask) -> None:
    app.before_request(check_request)


def is_api(path: str) -> bool:
    """Whether a program asks: it is answered in JSON, also where something went wrong."""
    # By path, not by blueprint: a URL that matches no route has no blueprint.
    return path.startswith(API) or path in PROBES


def is_page(path: str) -> bool:
    """Whether a person asks, with a browser."""
    return not is_api(path) and not path.startswith(STATIC)


def check_request() -> None:
    """Refuse an unknown host, and on the pages too many requests and a forged form."""
    call: Request = request._get_current_object()  # type: ignore[attr-defined]  # no proxy
    environ, path = call.environ, call.path
    environ[ROUTE] = call.url_rule.rule if call.url_rule else ""
    if REFUSAL in environ:
        raise environ[REFUSAL]
    if "CONTENT_LENGTH" in environ:  # only then does Werkzeug refuse a body that ends too early
        environ.pop("wsgi.input_terminated", None)
    # A probe asks by address and not by name.
    if path not in PROBES and _host_name(environ) not in current_app.config["KNOWN_HOSTS"]:
        raise BadRequest("This host name is not served here.")
    if is_api(path):
        return
    if not path.startswith(STATIC):
        rate_limit.hit(environ, _visitor())
    if call.url_rule is not None:
        _refuse_cross_site()
        if call.method == "POST":
            _need_whole_form()
        _check_token(call, call.url_rule.endpoint)


def _check_token(call: Request, endpoint: str) -> None:
    """Raises CSRFError for a form without the token of this session, or marks it as stale."""
    try:
        csrf.protect()
    except CSRFError:
        if endpoint not in DRAWN_AGAIN:
            raise
        g.stale_form = True
    if call.method == "POST" and unsent_forms.MARK in call.form:
        after_this_request(_forget_sent_form)


def _forget_sent_form(response: Response) -> Response:
    """Delete the copy of a form that was sent again and was taken, or is drawn by its own page."""
    if response.status_code in TAKEN:
        with suppress(AppError):  # it expires by itself
            author = Actor(id=form_marks.author() or "")
            unsent_forms.discard(author, request.form[unsent_forms.MARK])
    return response


def _visitor() -> str:
    """Who is counted: the session that the cookie names, else the address. Nothing is looked up."""
    secret = session.get("_user_id")  # Flask-Login's; nobody but us can sign one
    return secret_tokens.digest(secret) if secret else network_of(request.remote_addr or "")


def _host_name(environ: dict[str, Any]) -> str:
    host: str = environ.get("HTTP_HOST", "").lower()
    name, _, port = host.rpartition(":")
    return name if port.isascii() and port.isdigit() else host


def _need_whole_form() -> None:
    """Read the form. Werkzeug cuts a chunked one at the limit, and says nothing."""
    nameless = None in request.form
    if request.content_length is None and request.environ["wsgi.input"].read(1):
        raise RequestEntityTooLarge
    if nameless:
        raise BadRequest("A part of the form has no name.")


def _refuse_cross_site() -> None:
    """A second lock beside the CSRF token: the browser itself says where a form came from.

    Where it sends Sec-Fetch-Site that decides alone: no page can forge it, and unlike Origin it is
    the same whatever the page's Referrer-Policy.
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
