"""The start page, the pages that explain the service and its errors, and well-known URLs."""

import inspect
from datetime import timedelta

from flask import (
    Blueprint,
    Response,
    current_app,
    jsonify,
    redirect,
    render_template,
    url_for,
)
from flask.typing import ResponseReturnValue

from app.errors import NotFound
from app.main import panels
from app.models.types import now
from app.web.current_user import page_user
from app.web.error_handlers import problems as known_problems

bp = Blueprint("pages", __name__)

NOT_FOR_ROBOTS = (
    "/admin/",
    "/auth/confirm/",
    "/auth/invite/",
    "/auth/reset/",
    "/auth/undo/",
    "/settings/",
)
HOLDS = timedelta(days=180)


@bp.get("/")
def index() -> ResponseReturnValue:
    actor = page_user()
    if not actor.id:
        return render_template("main/landing.html")
    shown = [(panel, panel.values(actor)) for panel in panels.DASHBOARD]
    return render_template("main/dashboard.html", panels=shown)


@bp.get("/about")
def about() -> str:
    return render_template("main/about.html")


@bp.get("/problems")
def problems() -> str:
    return render_template("main/problems.html", problems=known_problems())


@bp.get("/problems/<slug>")
def problem(slug: str) -> str:
    """Explain a problem: the page that an error's `type` refers to (RFC 9457, 3.1.1)."""
    kind = known_problems().get(slug)
    if kind is None:
        raise NotFound("There is no problem with this name.")
    explanation = inspect.getdoc(kind)  # an error's docstring says when it is raised
    return render_template("main/problem.html", kind=kind, explanation=explanation)


@bp.get("/robots.txt")
def robots() -> Response:
    closed = "".join(f"Disallow: {path}\n" for path in NOT_FOR_ROBOTS)
    return current_app.response_class(f"User-agent: *\n{closed}", mimetype="text/plain")


@bp.get("/.well-known/change-password")
def change_password() -> ResponseReturnValue:
    """Redirect password managers to the password page (W3C, A Well-Known URL for Changing
    Passwords)."""
    return redirect(url_for("main.settings.password"))


@bp.get("/.well-known/passkey-endpoints")
def passkey_endpoints() -> Response:
    """Return the URLs that add and manage passkeys (W3C, A Well-Known URL for Relying Party
    Passkey Endpoints)."""
    url = f"{current_app.config['PUBLIC_URL']}{url_for('main.factors.index')}"
    return jsonify(enroll=url, manage=url)


@bp.get("/.well-known/security.txt")
def security_txt() -> Response:
    """Return the security contact (RFC 9116). `Expires` is required, at most a year ahead."""
    contact = current_app.config["SECURITY_CONTACT"]
    if not contact:
        raise NotFound("There is nothing at this address.")
    lines = (
        f"Contact: {contact}",
        f"Expires: {(now() + HOLDS).date().isoformat()}T00:00:00Z",
        "Preferred-Languages: en",
        f"Canonical: {current_app.config['PUBLIC_URL']}/.well-known/security.txt",
    )
    text = "".join(f"{line}\n" for line in lines)
    return current_app.response_class(text, mimetype="text/plain")
