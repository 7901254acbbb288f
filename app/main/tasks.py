"""Pages of tasks: list, trash, one task, creation, change and deletion."""

from dataclasses import replace

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required

from app.errors import PreconditionFailed
from app.main.task_forms import EditForm, TaskForm
from app.main.task_query import SORT_NAMES, read_page, read_query
from app.main.task_show import CommentForm, show_task
from app.models import Task
from app.models.task import CLOSED, OPEN, PRIORITIES, STATUSES, TITLE_MAX, TRASH_KEPT
from app.models.types import now
from app.pages.pagination import listed
from app.pages.redirects import next_page
from app.pages.submit_once import submit_once
from app.services.shared import display_names
from app.services.shared.paging import Q_MAX
from app.services.tasks import access as task_access, tasks
from app.web.current_user import page_user

bp = Blueprint("tasks", __name__)


@bp.app_template_test("overdue")
def is_overdue(task: Task) -> bool:
    return task.due_at is not None and task.due_at < now() and task.status not in CLOSED


@bp.get("")
@login_required
def index() -> str:
    actor, query = page_user(), read_query(request.args)
    found = listed(
        lambda paging: read_page(actor, query, replace(paging, count=paging.after is None)),
        "main.tasks.index",
        **query.args,
    )
    return render_template(
        "main/tasks/index.html",
        found=found,
        query=query,
        sorts=SORT_NAMES,
        choices={"status": STATUSES, "priority": PRIORITIES},
        open=list(OPEN),
        q_max=Q_MAX,
        title_max=TITLE_MAX,
        people=display_names.of_users(actor, (task.assignee_id for task in found.page.items)),
    )


@bp.get("/trash")
@login_required
def trash() -> str:
    actor = page_user()
    found = listed(
        lambda paging: tasks.page(actor, paging, filters={"trashed": True}, sort="-updated_at"),
        "main.tasks.trash",
    )
    days = TRASH_KEPT.days
    return render_template("main/tasks/trash.html", found=found, days=days)


@bp.route("/new", methods=["GET", "POST"])
@login_required
def create() -> ResponseReturnValue:
    form = TaskForm()
    if form.validate_on_submit():
        with form.show_refusals():
            task_id = submit_once(lambda actor: tasks.create(actor, form.values()).id)
            flash(f"Added: {form.title.data}", "success")
            return redirect(next_page(_task_url(task_id)), 303)
    return render_template("main/tasks/new.html", form=form), form.http_status


@bp.get("/<id:task_id>")
@login_required
def show(task_id: str) -> ResponseReturnValue:
    return show_task(task_id, CommentForm())


@bp.route("/<id:task_id>/edit", methods=["GET", "POST"])
@login_required
def update(task_id: str) -> ResponseReturnValue:
    actor = page_user()
    task = tasks.get(actor, task_id)
    form, theirs = EditForm(task, display_names.of_users(actor, [task.assignee_id])), None
    if form.validate_on_submit():
        with form.show_refusals():
            try:
                tasks.update(actor, task_id, form.changes(), expect={form.version})
                flash("Saved.", "success")
                return redirect(_task_url(task_id), 303)
            except PreconditionFailed:
                theirs = tasks.get(actor, task_id)
    page = render_template(
        "main/tasks/edit.html",
        form=form,
        task=task,
        version=theirs.version if theirs else form.version,
        stale=theirs is not None,
        differing=form.differing(theirs, display_names.of_users(actor, [theirs.assignee_id]))
        if theirs
        else {},
        may_assign=task_access.owns(actor, task),
    )
    return page, PreconditionFailed.status if theirs else form.http_status


@bp.post("/<id:task_id>/complete")
@login_required
def complete(task_id: str) -> ResponseReturnValue:
    """Set the status that the button names, done or todo: a second click then changes nothing."""
    actor, status = page_user(), request.form.get("status")
    if status not in ("done", "todo"):
        status = "todo" if tasks.get(actor, task_id).status == "done" else "done"
    task = tasks.update(actor, task_id, {"status": status})
    flash(f"{'Done' if status == 'done' else 'Open again'}: {task.title}", "success")
    return redirect(next_page(_task_url(task_id)), 303)


@bp.post("/<id:task_id>/delete")
@login_required
def delete(task_id: str) -> ResponseReturnValue:
    tasks.delete(page_user(), task_id)
    flash("Moved to the trash. You can restore the task there.", "success")
    return redirect(next_page(url_for(".index")), 303)


@bp.post("/<id:task_id>/restore")
@login_required
def restore(task_id: str) -> ResponseReturnValue:
    task = tasks.restore(page_user(), task_id)
    flash(f"Restored: {task.title}", "success")
    return redirect(next_page(_task_url(task_id)), 303)


def _task_url(task_id: str) -> str:
    return url_for("main.tasks.show", task_id=task_id)
