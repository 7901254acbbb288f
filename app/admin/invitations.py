"""Admin pages to invite a user, who sets the password with a mailed link."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from wtforms import SelectField

from app.errors import Conflict, NoMail, TooManyRequests
from app.models.one_time_link import LIFE
from app.models.user import ROLES
from app.pages import account_fields
from app.pages.forms import Form, choices
from app.services.accounts import invitations
from app.web.current_user import page_user

bp = Blueprint("invitations", __name__, url_prefix="/users")


class InvitationForm(Form):
    email = account_fields.email()
    username = account_fields.username()
    role = SelectField("Role", choices=choices(ROLES), default="user")


@bp.route("/invite", methods=["GET", "POST"])
def invite() -> ResponseReturnValue:
    form = InvitationForm()
    if form.validate_on_submit():
        with form.show_refusals(NoMail):
            user = invitations.invite(page_user(), **form.values())
            flash(f"Invitation to {user.email} queued.", "success")
            return redirect(url_for("admin.users.show", user_id=user.id), 303)
    page = render_template("admin/users/invite.html", form=form, life=LIFE["invite"])
    return page, form.http_status


@bp.post("/<id:user_id>/invitation")
def again(user_id: str) -> ResponseReturnValue:
    try:
        user = invitations.invite_again(page_user(), user_id)
    except (Conflict, NoMail, TooManyRequests) as error:
        flash(error.message, "error")
    else:
        flash(f"Invitation to {user.email} queued.", "success")
    return redirect(url_for("admin.users.show", user_id=user_id), 303)
