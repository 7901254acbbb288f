"""Admin overview: figures of the whole service, and charts over time."""

from flask import Blueprint, render_template, request

from app.admin import panels
from app.services.operations import admin_stats
from app.web.current_user import page_user

bp = Blueprint("overview", __name__)
PERIODS = (30, 90)  # days


@bp.get("/")
def index() -> str:
    asked = request.args.get("days", "")
    days = next((period for period in PERIODS if str(period) == asked), PERIODS[0])
    actor = page_user()
    return render_template(
        "admin/overview.html",
        stats=admin_stats.overview(actor, days),
        panels=panels.overview(actor, days),
        days=days,
        periods=PERIODS,
    )
