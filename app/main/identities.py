"""Settings page of linked accounts: list and unlink accounts of OpenID providers."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required

from app import settings
from app.services.openid import linked_accounts
from app.web.current_user import page_user

bp = Blueprint("identities", __name__)


@bp.get("")
@login_required
def index() -> str:
    linked = linked_accounts.of_actor(page_user())
    names = {client.issuer: client.name for client in settings.current().openid}
    return render_template("main/settings/identities.html", linked=linked, names=names)


@bp.post("/<id:identity_id>/unlink")
@login_required
def unlink(identity_id: str) -> ResponseReturnValue:
    linked_accounts.unlink(page_user(), identity_id)
    flash("The account is unlinked.", "success")
    return redirect(url_for(".index"), 303)
