"""Admin page of all users' personal access tokens: owner, scopes and last use."""

from typing import Any

from flask import Blueprint, render_template, request
from wtforms import SelectField

from app.admin.listing import Filters, PersonField, listed
from app.models.registry import SCOPES
from app.models.types import now
from app.pages.forms import options
from app.services.access import personal_tokens
from app.services.shared import display_names
from app.web.current_user import page_user

bp = Blueprint("tokens", __name__, url_prefix="/tokens")


class TokenFilters(Filters):
    user = PersonField("Owner")
    scope = SelectField(
        "Scope",
        choices=options([("", "Any scope"), *((scope, scope) for scope in SCOPES)]),
        default="",
    )

    def matching(self) -> dict[str, Any]:
        """Return the filters by the names of the service's arguments."""
        found = self.given()
        if "user" in found:
            found["owner_id"] = found.pop("user")
        return found


@bp.get("")
def index() -> str:
    form, actor = TokenFilters(), page_user()
    found = listed(
        form, lambda paging: personal_tokens.page_of_all(actor, paging, **form.matching())
    )
    return render_template(
        "admin/tokens.html",
        form=form,
        found=found,
        names=display_names.of_users(actor, (token.user_id for token in found.page.items)),
        here=request.full_path.rstrip("?"),
        moment=now(),
    )
