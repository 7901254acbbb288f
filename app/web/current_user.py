"""Who is asking: by cookie on the pages, by bearer token in the API.

The API must not accept the cookie, because it is exempt from the CSRF check.
"""

from collections.abc import Callable, Collection
from functools import wraps
from typing import Any

from flask import Flask, Request, g, request, session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from flask_login import UserMixin, current_user, login_required, login_user, logout_user

from app.errors import Forbidden, Unauthorized
from app.extensions import login_manager
from app.models.session import USER_AGENT_MAX
from app.services.access import bearer_tokens, page_sessions
from app.services.access.bearer_tokens import HolderStatement
from app.services.shared import audit
from app.services.shared.actor import Actor
from app.web import form_marks
from app.web.middleware import REQUEST_ID, ROUTE, USER_ID
from app.web.request_checks import is_page

CARRIED = ("openid_person",)  # who the provider says it is, to be linked after signing in


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
    """Flask's signed cookie, on the pages alone: elsewhere none is read and none is written.

    A cookie that an earlier key has signed is signed anew with the next answer.
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

    def save_session(self, app: Flask, session: SessionMixin, response: Any) -> None:
        if is_page(request.path):
            super().save_session(app, session, response)


def init_app(app: Flask) -> None:
    app.session_interface = PageSessions()


def origin() -> Actor:
    """Where the request comes from, for what a stranger may do."""
    return Actor(
        address=request.remote_addr or "",
        request_id=request.environ[REQUEST_ID],
        user_agent=request.headers.get("User-Agent", "")[:USER_AGENT_MAX],
    )


def api_user(
    environ: dict[str, Any], reading: HolderStatement | None = None, ids: Any = None
) -> tuple[Actor, Any]:
    """The holder of the bearer token, and the record that `reading` finds by `ids` or None.

    Raises Unauthorized, InvalidToken.
    """
    scheme, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthorized("Send an access token: Authorization: Bearer <token>.")
    given = (token.strip(), environ.get("REMOTE_ADDR", ""), environ[REQUEST_ID])
    if reading is None:
        actor, record = bearer_tokens.identify(*given), None
    else:
        actor, record = reading.identify(*given, ids)
    environ[USER_ID] = actor.id
    return actor, record


def require_scopes(actor: Actor, scopes: Collection[str]) -> None:
    """Raises InsufficientScope, audited where only an admin may come."""
    if set(scopes) == {"admin"} and not actor.is_admin:
        audit.denied(actor, request.environ[ROUTE])
    actor.require_scope(scopes)


@login_manager.user_loader
def load_user(secret: str) -> PageUser | None:
    here = origin()
    actor = page_sessions.load(secret, here.address, here.request_id, here.user_agent)
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
        actor.require_factor()
        if not actor.is_admin:
            audit.denied(actor, request.environ[ROUTE])
            raise Forbidden("Only an admin may see that.")
        return view(*args, **kwargs)

    return guarded


def sign_in(secret: str, *, remember: bool) -> None:
    """Put the session into the cookie: what was there before signing in goes, but for CARRIED."""
    if page_user().session_id:  # nobody could end it any more from here
        page_sessions.end(page_user())
    clear_session()
    session.permanent = remember
    _log_in(secret)


def renew_session(secret: str) -> None:
    """Put the new secret of the session in use into the cookie, which stays as long as it was."""
    remembered = session.permanent
    clear_session()
    session.permanent = remembered
    _log_in(secret)


def _log_in(secret: str) -> None:
    """Raises Unauthorized where the session was ended from elsewhere meanwhile."""
    user = load_user(secret)
    if user is None:
        raise Unauthorized("You were signed out in the meantime. Sign in again.")
    login_user(user)
    form_marks.put(user.actor.id)


def clear_session() -> None:
    """Empty the cookie, before it is somebody else's or worth more: but for CARRIED."""
    g.pop("csrf_token", None)  # kept there for the request: what is drawn now gets another
    carried = {name: session[name] for name in CARRIED if name in session}
    session.clear()
    session.update(carried)


def sign_out() -> None:
    page_sessions.end(page_user())
    logout_user()
    session.clear()
