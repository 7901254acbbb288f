"""Admin page of all users' webhooks: owner, URL, status, and a button to disable one."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import SelectField

from app.admin.listing import Filters, PersonField, listed
from app.pages.forms import options
from app.pages.redirects import next_page
from app.services.shared import display_names
from app.services.webhooks import failures, webhooks
from app.web.current_user import page_user

bp = Blueprint("webhooks", __name__, url_prefix="/webhooks")
ON = {"yes": True, "no": False}


class WebhookFilters(Filters):
    user = PersonField("Owner")
    is_active = SelectField(
        "Status",
        choices=options([("", "Any status"), ("yes", "Switched on"), ("no", "Switched off")]),
        default="",
    )

    def matching(self) -> dict[str, Any]:
        """Return the filters by the names of the service's arguments."""
        found = self.given()
        return {
            "owner_id": found.get("user"),
            "is_active": ON.get(found.get("is_active", "")),
        }


@bp.get("")
def index() -> str:
    form, actor = WebhookFilters(), page_user()
    found = listed(form, lambda paging: webhooks.page_of_all(actor, paging, **form.matching()))
    return render_template(
        "admin/webhooks.html",
        form=form,
        found=found,
        names=display_names.of_users(actor, (webhook.user_id for webhook in found.page.items)),
        here=request.full_path.rstrip("?"),
    )


@bp.post("/<id:webhook_id>/switch-off")
def switch_off(webhook_id: str) -> ResponseReturnValue:
    failures.switch_off(page_user(), webhook_id)
    flash("The webhook is switched off.", "success")
    return redirect(next_page(url_for(".index")), 303)
