"""Admin page of the audit trail: actor, action, target and address of each event."""

from typing import Any

from flask import Blueprint, render_template
from wtforms import SelectField, StringField
from wtforms.validators import Length

from app.admin.listing import Filters, PersonField, listed
from app.pages.forms import choices, stripped
from app.pages.moment_field import MomentField
from app.services.shared import audit, display_names
from app.web.current_user import page_user

bp = Blueprint("audit", __name__, url_prefix="/audit")
ACTION_MAX = 64


class AuditFilters(Filters):
    actor = PersonField("Actor")
    action = StringField("Action", [Length(max=ACTION_MAX)], filters=[stripped])
    target_type = SelectField(
        "Kind of target",
        choices=lambda: choices(sorted(set(audit.ACTIONS.values())), "Any kind"),
        default="",
    )
    target = PersonField("Target")
    since = MomentField("Since")
    until = MomentField("Before")

    def matching(self) -> dict[str, Any]:
        """Return the filters by the names of the service's arguments."""
        found = self.given()
        for name in ("actor", "target"):
            if name in found:
                found[f"{name}_id"] = found.pop(name)
        return found


@bp.get("")
def index() -> str:
    form, actor = AuditFilters(), page_user()
    found = listed(form, lambda paging: audit.page(actor, paging, **form.matching()))
    known = display_names.in_events(actor, found.page.items)
    actions = sorted(audit.ACTIONS)
    return render_template("admin/audit.html", form=form, found=found, names=known, actions=actions)
