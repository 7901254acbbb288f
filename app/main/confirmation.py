"""The link that confirms one's address, once more."""

from flask import Blueprint, flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required

from app.errors import Conflict
from app.identity import page_user
from app.services import confirmation

bp = Blueprint("confirmation", __name__)


@bp.post("/confirmation")
@login_required
def send() -> ResponseReturnValue:
    try:
        confirmation.ask(page_user())
    except Conflict as error:
        flash(error.message)
    else:
        flash("The mail is on its way.", "success")
    return redirect(url_for("main.settings.profile"), 303)
