"""The current user: by cookie on the pages, by bearer token in the API.

The API must not accept the cookie, because the API is exempt from the CSRF check.
"""

from collections.abc import Callable, Collection
from functools import wraps
from typing import Any

from flask import Flask, Request, g, request, session
from flask.sessions import (
    NullSession,
    SecureCookieSession,
    SecureCookieSessionInterface,
    SessionMixin,
)
from flask_login import UserMixin, current_user, login_required, login_user, logout_user

from app.errors import Forbidden, Unauthorized
from app.extensions import login_manager
from app.models.session import USER_AGENT_MAX
from app.product import SLUG
from app.services.access import bearer_tokens, page_sessions
from app.services.access.bearer_tokens import HolderStatement
from app.services.shared import audit
from app.services.shared.actor import Actor
from app.web import form_marks
from app.web.middleware import REQUEST_ID, ROUTE, USER_ID
from app.web.request_checks import is_page

NO_SESSION = NullSession()  # of the API: empty, and refuses values
CARRIED = ("openid_person",)  # the provider's account, to be linked after the sign-in


class PageUser(UserMixin):
    """The user of Flask-Login. Its id is the secret of a session in the database, no user id."""

    def __init__(self, secret: str, actor: Actor) -> None:
        self.secret = secret
        self.actor = actor

    def get_id(self) -> str:
        return self.secret

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of the actor, for `current_user.username` in a template."""
        return getattr(self.actor, name)


class PageSessions(SecureCookieSessionInterface):
    """Flask's signed cookie, for the pages alone.

    The next answer signs a cookie again that an earlier key has signed.
    """

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if not is_page(request.path):
            return None
        opened = super().open_session(app, request)
        if opened and app.config["SECRET_KEY_FALLBACKS"] and not self._is_current(app, request):
            opened.modified = True
        return opened

    def _is_current(self, app: Flask, request: Request) -> bool:
        """True if the cookie is signed by SECRET_KEY, not by one of SECRET_KEY_FALLBACKS."""
        serializer: Any = self.get_signing_serializer(app)
        serializer.secret_keys = serializer.secret_keys[-1:]
        signed: bool
        signed, _ = serializer.loads_unsafe(request.cookies[self.get_cookie_name(app)])
        return signed

    def make_null_session(self, app: Flask) -> NullSession:  # noqa: ARG002
        return NO_SESSION

    def save_session(self, app: Flask, session: SessionMixin, response: Any) -> None:
        if is_page(request.path):
            super().save_session(app, session, response)


def init_app(app: Flask) -> None:
    app.session_interface = PageSessions()
    # Cookies of two services on one host (localhost) must differ in their names.
    https = app.config["SESSION_COOKIE_SECURE"]
    app.config["SESSION_COOKIE_NAME"] = "__Host-session" if https else f"{SLUG}_session"


def origin() -> Actor:
    """Return a stranger with the client's address, for requests without a user."""
    return Actor(
        address=request.remote_addr or "",
        request_id=request.environ[REQUEST_ID],
        user_agent=request.headers.get("User-Agent", "")[:USER_AGENT_MAX],
    )


def api_user(
    environ: dict[str, Any], reading: HolderStatement | None = None, ids: Any = None
) -> tuple[Actor, Any]:
    """Return the holder of the bearer token, and the record that `reading` finds by `ids` or None.

    Raises Unauthorized, InvalidToken.
    """
    scheme, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthorized("Send an access token: Authorization: Bearer <token>.")
    credentials = (token.strip(), environ.get("REMOTE_ADDR", ""), environ[REQUEST_ID])
    if reading is None:
        actor, record = bearer_tokens.identify(*credentials), None
    else:
        actor, record = reading.identify(*credentials, ids)
    environ[USER_ID] = actor.id
    return actor, record


def require_scopes(actor: Actor, scopes: Collection[str]) -> None:
    """Raise InsufficientScope, with an audit event if only an admin may call the operation."""
    if set(scopes) == {"admin"} and not actor.is_admin:
        audit.denied(actor, request.environ[ROUTE])
    actor.require_scope(scopes)


@login_manager.user_loader
def load_user(secret: str) -> PageUser | None:
    actor = page_sessions.load(secret, origin())
    if actor is None:
        return None
    request.environ[USER_ID] = actor.id
    return PageUser(secret, actor)


def page_user() -> Actor:
    """Return the user who is signed in on the pages, else a stranger."""
    if current_user.is_authenticated:
        actor: Actor = current_user.actor
        return actor
    return origin()


def admin_required(view: Callable[..., Any]) -> Callable[..., Any]:
    """Redirect a stranger to the sign-in page, and raise Forbidden for a user who is no admin."""

    @wraps(view)
    @login_required
    def guarded(*args: Any, **kwargs: Any) -> Any:
        actor = page_user()
        actor.require_factor()
        if not actor.is_admin:
            audit.denied(actor, request.environ[ROUTE])
            raise Forbidden("Only an admin may see that.")
        return view(*args, **kwargs)

    return guarded


def sign_in(secret: str, *, remember: bool) -> None:
    """Put the session into the cookie, and delete all other values in there but CARRIED."""
    if page_user().session_id:  # later this browser could not end the old session
        page_sessions.end(page_user())
    clear_session()
    session.permanent = remember
    _log_in(secret)


def renew_session(secret: str) -> None:
    """Put the current session's new secret into the cookie, and keep the cookie's lifetime."""
    remembered = session.permanent
    clear_session()
    session.permanent = remembered
    _log_in(secret)


def _log_in(secret: str) -> None:
    """Raise Unauthorized if the session was ended elsewhere in the meantime."""
    user = load_user(secret)
    if user is None:
        raise Unauthorized("You were signed out in the meantime. Sign in again.")
    login_user(user)
    form_marks.put(user.actor.id)


def clear_session() -> None:
    """Empty the cookie, but for CARRIED, before it gets another user or more rights."""
    g.pop("csrf_token", None)  # Flask-WTF's copy for this request: forms need a new token
    carried = {name: session[name] for name in CARRIED if name in session}
    session.clear()
    session.update(carried)


def sign_out() -> None:
    page_sessions.end(page_user())
    logout_user()
    session.clear()
