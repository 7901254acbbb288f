"""The public profile of a user, for all signed-in users."""

from flask import Blueprint, render_template
from flask_login import login_required

from app.errors import NotFound
from app.services.users import users

bp = Blueprint("users", __name__)


@bp.get("/<username>")
@login_required
def show(username: str) -> str:
    if "\0" in username:  # no database column stores NUL
        raise NotFound("There is no such user.")
    return render_template("main/user.html", user=users.by_username(username))
