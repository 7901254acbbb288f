"""Who it is, once more, before what matters most (ASVS 5.0, 7.5.1): of a session whose owner proved
it more than 15 minutes ago.
"""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required

from app.auth import unsent_forms
from app.auth.begin import home
from app.auth.passkey_form import AGAIN, options
from app.errors import ReauthenticationRequired
from app.pages import account_fields
from app.pages.forms import Form
from app.pages.redirects import next_page
from app.services.access import page_sessions
from app.services.authentication import authentication
from app.services.users import users
from app.web.current_user import page_user, renew_session
from app.web.error_handlers import on_app_error
from app.web.request_checks import is_api

bp = Blueprint("reauthenticate", __name__, url_prefix="/reauthenticate")


class PasswordForm(Form):
    current_password = account_fields.current_password()


@bp.route("", methods=["GET", "POST"], endpoint="show")
@login_required
def show() -> ResponseReturnValue:
    actor = page_user()
    form = PasswordForm()
    if form.validate_on_submit():
        with form.show_refusals():
            authentication.confirm(actor, form.values()["current_password"])
            return proved()
    user = users.get(actor, actor.id)
    page = render_template(
        "auth/reauthenticate.html",
        form=form,
        has_password=bool(user.password_hash),
        passkey=options(AGAIN, actor.id),
    )
    return page, form.http_status


def proved() -> ResponseReturnValue:
    """The session bears another secret from now on, and goes back to where it was asked."""
    renew_session(page_sessions.renew(page_user(), proved=True))
    return redirect(next_page(home()), 303)


@bp.app_errorhandler(ReauthenticationRequired)
def ask(error: ReauthenticationRequired) -> ResponseReturnValue:
    """On a page: ask, and go back to the page, or to the one whose form was sent."""
    if is_api(request.path):
        return on_app_error(error)
    reads = request.method in ("GET", "HEAD")
    target = request.full_path.rstrip("?") if reads else unsent_forms.way_back(page_user().id)
    address = url_for("auth.reauthenticate.show", next=target)
    if not reads:
        flash("Nothing was changed yet. Confirm that it is you, then do it again.", "warning")
    if "HX-Request" in request.headers:
        return "", 403, {"HX-Redirect": address}
    return redirect(address, 302 if reads else 303)
