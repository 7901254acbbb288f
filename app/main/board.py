"""The tasks as a board: a column for each status, between which a card is moved."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required

from app.errors import Invalid
from app.main.task_query import read_page, read_query
from app.models.task import CLOSED, STATUSES
from app.pages.redirects import next_page
from app.pages.templating import words
from app.services.shared import display_names
from app.services.tasks import tasks
from app.web.current_user import page_user

bp = Blueprint("board", __name__)
SHOWN = 12  # cards in a column; the list has them all


@bp.get("/board")
@login_required
def index() -> str:
    actor, query = page_user(), read_query(request.args)
    columns = {
        status: read_page(
            actor, query, status=[status], sort=_sort(status), limit=SHOWN, count=True
        )
        for status in STATUSES
    }
    assigned = (task.assignee_id for page in columns.values() for task in page.items)
    return render_template(
        "main/tasks/board.html",
        columns=columns,
        args={name: value for name, value in query.args.items() if name not in ("status", "sort")},
        sort=_sort,
        faults=query.faults,
        people=display_names.of_users(actor, assigned),
    )


@bp.post("/<id:task_id>/move")
@login_required
def move(task_id: str) -> ResponseReturnValue:
    status = request.form.get("status", "")
    if status not in STATUSES:
        raise Invalid(f"A task can be {', '.join(map(words, STATUSES))}.")
    task = tasks.update(page_user(), task_id, {"status": status})
    flash(f"{words(status)}: {task.title}", "success")
    return redirect(next_page(url_for(".index")), 303)


def _sort(status: str) -> str:
    """What is open by its urgency, what is closed by when that was."""
    return "-updated_at" if status in CLOSED else "-priority"
