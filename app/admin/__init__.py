"""The admin pages, one module each. Every request to them requires an admin."""

from flask import Blueprint

from app.admin import (
    access,
    audit,
    invitations,
    jobs,
    overview,
    system,
    tasks,
    tokens,
    users,
    webhooks,
)
from app.pages import required_factor
from app.web.current_user import admin_required

bp = Blueprint("admin", __name__)
bp.before_request(required_factor.check)
for page in (overview, users, invitations, access, tasks, tokens, webhooks, jobs, audit, system):
    bp.register_blueprint(page.bp)


@bp.before_request
@admin_required
def only_admins() -> None:
    """Require an admin for every view of this blueprint."""
