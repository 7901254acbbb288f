"""Reauthentication before sensitive actions (ASVS 5.0, 7.5.1), if the session's last proof is older
than 15 minutes.
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
    """Renew the secret of the session and redirect to the page that required the proof."""
    renew_session(page_sessions.renew(page_user(), proved=True))
    return redirect(next_page(home()), 303)


@bp.app_errorhandler(ReauthenticationRequired)
def ask(error: ReauthenticationRequired) -> ResponseReturnValue:
    """Redirect a page to the reauthentication page, with `next` as the way back; the API gets a
    problem document."""
    if is_api(request.path):
        return on_app_error(error)
    reads = request.method in ("GET", "HEAD")
    target = request.full_path.rstrip("?") if reads else unsent_forms.way_back(page_user().id)
    address = url_for("auth.reauthenticate.show", next=target)
    if not reads:
        flash("Nothing was changed. Confirm your identity, then repeat the action.", "warning")
    if "HX-Request" in request.headers:
        return "", 403, {"HX-Redirect": address}
    return redirect(address, 302 if reads else 303)
