"""Settings page to export the user's data and to delete the account."""

import orjson
from flask import Blueprint, Response, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required
from wtforms import StringField
from wtforms.validators import InputRequired, ValidationError

from app.models.registry import RESOURCES
from app.pages import account_fields
from app.pages.forms import Form, stripped
from app.product import SLUG
from app.services.accounts import accounts, export as account_export
from app.services.authentication import authentication
from app.services.shared.actor import Actor
from app.services.users import users
from app.web.current_user import page_user, sign_out

bp = Blueprint("account_data", __name__)
_main = [each for each in RESOURCES if each.events and each.is_exported]
RECORDS = [each.plural for each in _main]
KEPT = [each.plural for each in _main if each.persons_by("SET NULL")]


class DeleteForm(Form):
    username = StringField(
        "Your username",
        [InputRequired("Type your username.")],
        filters=[stripped],
        description="Prevents deletion by mistake.",
        render_kw={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"},
    )
    current_password = account_fields.current_password()

    def __init__(self, actor: Actor) -> None:
        super().__init__()
        self.actor = actor
        if not users.get(actor, actor.id).password_hash:
            del self.current_password

    def validate_username(self, field: StringField) -> None:
        if (field.data or "").lower() != self.actor.username.lower():
            raise ValidationError("This is not your username.")


@bp.get("")
@login_required
def index() -> ResponseReturnValue:
    return _page(DeleteForm(page_user()))


@bp.post("/export")
@login_required
def export() -> Response:
    """Download the export. A POST, because the export is recorded in the audit trail."""
    content = orjson.dumps(
        account_export.export(page_user()), option=orjson.OPT_UTC_Z | orjson.OPT_INDENT_2
    )
    headers = {"Content-Disposition": f'attachment; filename="{SLUG}-account.json"'}
    return Response(content, headers=headers, content_type="application/json")


@bp.post("/delete")
@login_required
def delete() -> ResponseReturnValue:
    """Delete the account, if it is unchanged since its password was confirmed."""
    actor = page_user()
    form = DeleteForm(actor)
    if form.validate():
        with form.show_refusals():
            user = authentication.again(actor, form.values().get("current_password"))
            accounts.delete(actor, actor.id, expect={user.version})
            sign_out()
            flash("Your account is deleted.", "success")
            response = redirect(url_for("main.pages.index"), 303)
            response.headers["Clear-Site-Data"] = '"cache"'
            return response
    return _page(form)


def _page(form: DeleteForm) -> ResponseReturnValue:
    page = render_template("main/settings/data.html", form=form, records=RECORDS, kept=KEPT)
    return page, form.http_status
