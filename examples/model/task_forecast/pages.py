"""The page /tasks/<task_id>/forecast."""

from flask import Blueprint, render_template
from flask_login import login_required

from app.services.tasks import tasks
from app.web.current_user import page_user
from task_forecast import forecasts

bp = Blueprint("forecast", __name__, template_folder="templates")


@bp.get("/tasks/<id:task_id>/forecast")
@login_required
def show(task_id: str) -> str:
    actor = page_user()
    return render_template(
        "forecast.html",
        task=tasks.get(actor, task_id),
        forecast=forecasts.of_task(actor, task_id),
    )
