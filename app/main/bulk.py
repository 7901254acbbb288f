"""Bulk change of the tasks that are ticked in the list: all or none."""

from collections.abc import Callable

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required

from app.errors import AppError, Forbidden, Invalid, NotFound
from app.models.types import canonical_id
from app.pages.redirects import next_page
from app.services.shared.actor import Actor
from app.services.tasks import bulk as task_bulk, tasks
from app.services.tasks.bulk import OPERATIONS_MAX, Change
from app.web.current_user import page_user

bp = Blueprint("bulk", __name__)
# By button: the change of each task, and the end of the message.
ACTS: dict[str, tuple[Callable[[str], Change], str]] = {
    "done": (lambda task_id: Change("update", task_id, {"status": "done"}), "marked as done"),
    "todo": (lambda task_id: Change("update", task_id, {"status": "todo"}), "open again"),
    "delete": (lambda task_id: Change("delete", task_id), "moved to the trash"),
}


@bp.post("/bulk")
@login_required
def apply() -> ResponseReturnValue:
    actor, ids = page_user(), _ids()
    change, outcome = _action()
    try:
        task_bulk.apply(actor, [change(task_id) for task_id in ids])
    except (Forbidden, NotFound) as error:
        flash(f"Nothing was changed. {error.message}{_failing_task(actor, ids, error)}", "error")
    else:
        _flash_outcome(len(ids), outcome)
    return redirect(next_page(url_for("main.tasks.index")), 303)


def _action() -> tuple[Callable[[str], Change], str]:
    act = ACTS.get(request.form.get("op", ""))
    if act is None:
        raise Invalid("This action is not known.")
    return act


def _ids() -> list[str]:
    """Return the ids of the ticked tasks without duplicates. Raises Invalid."""
    ids = [canonical_id(given) for given in request.form.getlist("id")]
    kept = list(dict.fromkeys(found for found in ids if found is not None))
    if None in ids or len(kept) > OPERATIONS_MAX:
        raise Invalid(f"Tick at most {OPERATIONS_MAX} tasks of the list.")
    return kept


def _failing_task(actor: Actor, ids: list[str], error: AppError) -> str:
    """Return a sentence with the title of the failing task, or "" if the actor cannot see it."""
    if error.index is None or isinstance(error, NotFound):
        return ""
    return f" The task is: {tasks.get(actor, ids[error.index]).title}"


def _flash_outcome(number: int, outcome: str) -> None:
    if number:
        flash(f"{number} {'task is' if number == 1 else 'tasks are'} {outcome}.", "success")
    else:
        flash("Tick the tasks first.", "warning")
