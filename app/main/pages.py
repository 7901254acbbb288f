"""The start page, the pages that explain the service and its errors, and well-known URLs."""

import inspect
from datetime import timedelta
from typing import Any

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
from app.models.task import OPEN
from app.models.types import now
from app.services.shared.actor import Actor
from app.services.shared.paging import PageRequest
from app.services.tasks import stats as task_stats, tasks
from app.web.current_user import page_user
from app.web.error_handlers import problems as known_problems

bp = Blueprint("pages", __name__)

SHOWN = 6  # tasks in each list of the dashboard
SOON = timedelta(days=7)
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
    stats = task_stats.overview(actor)
    number = sum(stats["by_status"][status] for status in OPEN)
    return render_template(
        "main/dashboard.html", stats=stats, open=OPEN, open_number=number, **_lists(actor)
    )


def _lists(actor: Actor) -> dict[str, Any]:
    moment = now()
    soon = {"due_after": moment, "due_before": moment + SOON, "status": list(OPEN)}
    first = PageRequest(SHOWN)
    return {
        "overdue": tasks.page(actor, first, filters={"overdue": True}, sort="due_at").items,
        "soon": tasks.page(actor, first, filters=soon, sort="due_at").items,
        "recent": tasks.page(actor, first, sort="-updated_at").items,
    }


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
