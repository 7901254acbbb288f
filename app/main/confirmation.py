"""Buttons to mail the confirmation link again and to cancel a new address."""

from flask import Blueprint, flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required

from app.errors import Conflict, NoMail, TooManyRequests
from app.services.accounts import email_confirmation
from app.web.current_user import page_user

bp = Blueprint("confirmation", __name__)


@bp.post("/confirmation")
@login_required
def send() -> ResponseReturnValue:
    try:
        email_confirmation.ask(page_user())
    except (Conflict, NoMail, TooManyRequests) as error:
        flash(error.message, "warning")
    else:
        flash("Mail queued.", "success")
    return redirect(url_for("main.settings.profile"), 303)


@bp.post("/confirmation/cancel")
@login_required
def cancel() -> ResponseReturnValue:
    email_confirmation.cancel(page_user())
    flash("The new address is cancelled. Its link no longer works.", "success")
    return redirect(url_for("main.settings.profile"), 303)
