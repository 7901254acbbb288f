"""Admin page of all users' tasks."""

from typing import Any

from flask import Blueprint, render_template
from wtforms import BooleanField, SearchField, SelectField, StringField
from wtforms.validators import Length

from app.admin.listing import Filters, PersonField, listed
from app.models.task import LABEL_MAX, PRIORITIES, STATUSES
from app.pages.forms import choices, options, stripped
from app.services.shared import display_names
from app.services.shared.paging import Q_MAX
from app.services.tasks import tasks
from app.web.current_user import page_user

bp = Blueprint("tasks", __name__, url_prefix="/tasks")
SORTS = [
    ("-created_at", "Newest first"),
    ("created_at", "Oldest first"),
    ("-updated_at", "Last changed"),
    ("due_at", "Due soonest"),
    ("-priority", "Most urgent"),
    ("title", "Title"),
]


class TaskFilters(Filters):
    q = SearchField("Words in title or description", [Length(max=Q_MAX)], filters=[stripped])
    status = SelectField("Status", choices=choices(STATUSES, "Any status"), default="")
    priority = SelectField("Priority", choices=choices(PRIORITIES, "Any priority"), default="")
    sort = SelectField("Order", choices=options(SORTS), default=SORTS[0][0])
    owner = PersonField("Owner")
    assignee = PersonField("Assignee")
    label = StringField("Label", [Length(max=LABEL_MAX)], filters=[stripped])
    overdue = BooleanField("Overdue")
    trashed = BooleanField("In the trash")

    def matching(self) -> dict[str, Any]:
        """Return the filters by the names of the service's arguments."""
        found = {name: value for name, value in self.given().items() if name != "sort"}
        for person in ("owner", "assignee"):
            if person in found:
                found[f"{person}_id"] = found.pop(person)
        if "label" in found:
            found["label"] = [found["label"]]
        return found


@bp.get("")
def index() -> str:
    form, actor = TaskFilters(), page_user()
    sort = SORTS[0][0] if form.sort.errors else form.sort.data
    found = listed(
        form,
        lambda paging: tasks.page(actor, paging, filters=form.matching(), sort=sort, everyone=True),
    )
    people = [person for task in found.page.items for person in (task.owner_id, task.assignee_id)]
    people_names = display_names.of_users(actor, people)
    return render_template("admin/tasks.html", form=form, found=found, names=people_names)
