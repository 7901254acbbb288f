"""Admin pages to find, change and delete accounts. An admin never sees or sets a password."""

from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from wtforms import SearchField, SelectField
from wtforms.validators import Length

from app import settings
from app.admin import panels
from app.admin.listing import Filters, listed
from app.errors import Conflict
from app.models.types import now
from app.models.user import ROLES
from app.pages.forms import choices, options, stripped
from app.services.access import active_sessions, personal_tokens
from app.services.accounts import accounts, invitations, password_reset
from app.services.authentication import authentication
from app.services.factors import factors
from app.services.operations import admin_stats
from app.services.shared import audit, display_names
from app.services.shared.paging import LIMIT_MAX, Q_MAX, PageRequest
from app.services.users import users
from app.web.current_user import page_user

bp = Blueprint("users", __name__, url_prefix="/users")
RECENT = 8  # events
CHANGES: dict[
    str, tuple[dict[str, Any], str]
] = {  # by button: the change, and the end of the message
    "activate": ({"is_active": True}, "is active again"),
    "deactivate": ({"is_active": False}, "is deactivated and signed out everywhere"),
    "promote": ({"role": "admin"}, "is an admin now"),
    "demote": ({"role": "user"}, "is no longer an admin"),
}


class UserFilters(Filters):
    q = SearchField("Name or email", [Length(max=Q_MAX)], filters=[stripped])
    role = SelectField("Role", choices=choices(ROLES, "Any role"), default="")
    is_active = SelectField(
        "State",
        choices=options([("", "Active or not"), ("true", "Active"), ("false", "Deactivated")]),
        default="",
    )


@bp.get("")
def index() -> str:
    form, actor = UserFilters(), page_user()
    given = form.given()
    if "is_active" in given:
        given["is_active"] = given["is_active"] == "true"
    found = listed(form, lambda paging: users.page(actor, paging, **given), count=True)
    return render_template("admin/users/index.html", form=form, found=found)


@bp.get("/<id:user_id>")
def show(user_id: str) -> str:
    return _page(user_id)


@bp.post("/<id:user_id>/<any(activate, deactivate, promote, demote):act>")
def change(user_id: str, act: str) -> ResponseReturnValue:
    changes, outcome = CHANGES[act]
    try:
        user = accounts.update(page_user(), user_id, changes)
    except Conflict as error:
        flash(error.message, "error")
    else:
        flash(f"{user.username} {outcome}.", "success")
    return redirect(url_for(".show", user_id=user_id), 303)


@bp.post("/<id:user_id>/reset-link")
def reset_link(user_id: str) -> ResponseReturnValue:
    """Mail a password link to the account's owner. Without mail, show the link in this response
    only: it never enters a URL or a cookie.
    """
    actor = page_user()
    user = users.get(actor, user_id)
    if settings.current().has_mail:
        password_reset.mail_link(actor, user)
        flash(f"Password link to {user.email} queued.", "success")
        return redirect(url_for(".show", user_id=user_id), 303)
    secret = password_reset.make_link(actor, user)
    return _page(user_id, link=f"{current_app.config['PUBLIC_URL']}/auth/reset/{secret}")


@bp.get("/<id:user_id>/delete")
def confirm_delete(user_id: str) -> str:
    actor = page_user()
    authentication.require_recent_admin(actor)
    user = users.get(actor, user_id)
    shown = panels.of_user(actor, user_id)
    return render_template("admin/users/delete.html", user=user, panels=shown)


@bp.post("/<id:user_id>/delete")
def delete(user_id: str) -> ResponseReturnValue:
    actor = page_user()
    user = users.get(actor, user_id)
    try:
        accounts.delete(actor, user_id)
    except Conflict as error:
        flash(error.message, "error")
        return redirect(url_for(".show", user_id=user_id), 303)
    flash(f"{user.username} is deleted.", "success")
    return redirect(url_for(".index"), 303)


@bp.post("/<id:user_id>/reset-factors")
def reset_factors(user_id: str) -> ResponseReturnValue:
    actor = page_user()
    user = users.get(actor, user_id)
    factors.reset(actor, user)
    flash(factors.after_reset(user), "success")
    return redirect(url_for(".show", user_id=user_id), 303)


def _page(user_id: str, link: str = "") -> str:
    actor = page_user()
    user = users.get(actor, user_id)
    done = audit.page(actor, PageRequest(RECENT), actor_id=user_id).items
    longest = PageRequest(LIMIT_MAX)
    touching = audit.page(actor, longest, target_id=user_id).items
    undergone = [event for event in touching if event.actor_id != user_id][:RECENT]
    return render_template(
        "admin/users/show.html",
        user=user,
        stats=admin_stats.of_user(actor, user_id),
        panels=panels.of_user(actor, user_id),
        browsers=active_sessions.in_browsers(actor, longest, owner_id=user_id).items,
        programs=active_sessions.by_api(actor, longest, owner_id=user_id).items,
        tokens=personal_tokens.page(actor, longest, owner_id=user_id).items,
        moment=now(),
        done=done,
        undergone=undergone,
        names=display_names.in_events(actor, [*done, *undergone]),
        link=link,
        factors=factors.names(actor, user_id),
        invited=invitations.is_open(user),
    )
