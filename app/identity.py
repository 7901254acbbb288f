"""Who is asking: by cookie on the pages, by bearer token in the API.

The API must not accept the cookie, because it is exempt from the CSRF check.
"""

from collections.abc import Callable, Collection
from functools import wraps
from typing import Any

from flask import Flask, Request, current_app, flash, redirect, request, session, url_for
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from flask_login import UserMixin, current_user, login_required, login_user, logout_user
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge

from app import ratelimit
from app.errors import Forbidden, Unauthorized
from app.extensions import csrf, login_manager
from app.security import REQUEST_ID, ROUTE, USER_ID
from app.services import audit, secret_tokens, sessions, tokens
from app.services.actor import Actor

API = "/api/"
STATIC = "/static/"
CARRIED = ("openid_person",)  # who the provider says it is, to be linked after signing in
PROBES = frozenset({"/healthz", "/readyz", "/metrics"})  # a probe asks by address, not by name


class PageUser(UserMixin):
    """What Flask-Login holds: its id is the secret of a session in the database, not a user's."""

    def __init__(self, secret: str, actor: Actor) -> None:
        self.secret = secret
        self.actor = actor

    def get_id(self) -> str:
        return self.secret

    def __getattr__(self, name: str) -> Any:
        """`current_user.username` and the like in a template."""
        return getattr(self.actor, name)


class PageSessions(SecureCookieSessionInterface):
    """Flask's signed cookie, on the pages alone: elsewhere none is read and none is written."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        return super().open_session(app, request) if _is_page(request.path) else None

    def save_session(self, app: Flask, session: SessionMixin, response: Any) -> None:
        if _is_page(request.path):
            super().save_session(app, session, response)


def init_app(app: Flask) -> None:
    app.session_interface = PageSessions()
    app.before_request(check_request)


def is_api(path: str) -> bool:
    """Whether a program asks: it is answered in JSON, also where something went wrong."""
    # By path, not by blueprint: a URL that matches no route has no blueprint.
    return path.startswith(API) or path in PROBES


def _is_page(path: str) -> bool:
    return not is_api(path) and not path.startswith(STATIC)


def check_request() -> None:
    """The door for every request: a host that is ours, and on the pages not too often, nor a
    forged form.
    """
    call: Request = request._get_current_object()  # type: ignore[attr-defined]  # no proxy
    environ, path = call.environ, call.path
    environ[ROUTE] = call.url_rule.rule if call.url_rule else ""
    if "CONTENT_LENGTH" in environ:  # only then does Werkzeug refuse a body that ends too early
        environ.pop("wsgi.input_terminated", None)
    if path not in PROBES and _host_name(environ) not in current_app.config["KNOWN_HOSTS"]:
        raise BadRequest("This host name is not served here.")
    if _is_page(path):
        ratelimit.hit(environ, _visitor())
    if not is_api(path) and call.url_rule is not None:
        _refuse_cross_site()
        if call.method == "POST":
            _need_whole_form()
        csrf.protect()


def _visitor() -> str:
    """Who is counted: the session that the cookie names, else the address. Nothing is looked up."""
    secret = session.get("_user_id")  # Flask-Login's; nobody but us can sign one
    return secret_tokens.digest(secret) if secret else request.remote_addr or ""


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


def origin() -> Actor:
    """Where the request comes from, for what a stranger may do."""
    return Actor(address=request.remote_addr or "", request_id=request.environ[REQUEST_ID])


def api_user(environ: dict[str, Any]) -> Actor:
    """Who holds the bearer token. Raises Unauthorized, InvalidToken."""
    scheme, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthorized("Send an access token: Authorization: Bearer <token>.")
    actor = tokens.identify(token.strip(), environ.get("REMOTE_ADDR", ""), environ[REQUEST_ID])
    environ[USER_ID] = actor.id
    return actor


def need_scopes(actor: Actor, scopes: Collection[str]) -> None:
    """Raises InsufficientScope, audited where only an admin may come."""
    if set(scopes) == {"admin"} and not actor.is_admin:
        audit.denied(actor, request.environ[ROUTE])
    actor.need_scope(scopes)


@login_manager.user_loader
def load_user(secret: str) -> PageUser | None:
    here = origin()
    actor = sessions.load(secret, here.address, here.request_id)
    if actor is None:
        return None
    request.environ[USER_ID] = actor.id
    return PageUser(secret, actor)


def page_user() -> Actor:
    """Who is signed in on the pages, or a stranger."""
    if current_user.is_authenticated:
        actor: Actor = current_user.actor
        return actor
    return origin()


def admin_required(view: Callable[..., Any]) -> Callable[..., Any]:
    """For admin pages: a stranger is sent to sign in, anyone else who is no admin gets a 403."""

    @wraps(view)
    @login_required
    def guarded(*args: Any, **kwargs: Any) -> Any:
        actor = page_user()
        if actor.lacks_factor:
            flash("Here admins need a second factor. Set one up first.", "warning")
            return redirect(url_for("main.factors.index"), 302 if request.method == "GET" else 303)
        if not actor.is_admin:
            audit.denied(actor, request.environ[ROUTE])
            raise Forbidden("Only an admin may see that.")
        return view(*args, **kwargs)

    return guarded


def sign_in(secret: str, *, remember: bool) -> None:
    """Put the session into the cookie: what was there before signing in goes, but for CARRIED."""
    if page_user().session_id:  # nobody could end it any more from here
        sessions.end(page_user())
    clear_session()
    session.permanent = remember
    login_user(load_user(secret))


def renew_session(secret: str) -> None:
    """Put the new secret of the session in use into the cookie, which stays as long as it was."""
    remembered = session.permanent
    clear_session()
    session.permanent = remembered
    login_user(load_user(secret))


def clear_session() -> None:
    """Empty the cookie, before it is somebody else's or worth more: but for CARRIED."""
    carried = {name: session[name] for name in CARRIED if name in session}
    session.clear()
    session.update(carried)


def sign_out() -> None:
    sessions.end(page_user())
    logout_user()
    session.clear()
