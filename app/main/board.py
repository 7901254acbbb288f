"""The task board: one column for each status, and moves of tasks between columns."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required

from app.errors import Invalid
from app.main.task_query import read_page, read_query
from app.models.task import CLOSED, STATUSES
from app.pages.redirects import next_page
from app.pages.templating import words
from app.services.shared import display_names
from app.services.shared.paging import PageRequest
from app.services.tasks import tasks
from app.web.current_user import page_user

bp = Blueprint("board", __name__)
SHOWN = 12  # tasks in a column; the list shows all tasks


@bp.get("/board")
@login_required
def index() -> str:
    actor, query = page_user(), read_query(request.args)
    first = PageRequest(SHOWN, count=True)
    columns = {
        status: read_page(actor, query, first, status=[status], sort=_order(status))
        for status in STATUSES
    }
    assigned = (task.assignee_id for page in columns.values() for task in page.items)
    return render_template(
        "main/tasks/board.html",
        columns=columns,
        args={name: value for name, value in query.args.items() if name not in ("status", "sort")},
        sort=_order,
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


def _order(status: str) -> str:
    """Return the order of a column: open tasks by priority, closed tasks by last change."""
    return "-updated_at" if status in CLOSED else "-priority"
