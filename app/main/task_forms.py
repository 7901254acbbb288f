"""Forms to create and to change a task."""

from typing import Any

from flask import request
from wtforms import Field, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length, Optional, ValidationError
from wtforms.widgets import TextInput

from app.errors import NotFound
from app.models import Task
from app.models.task import DESCRIPTION_MAX, PRIORITIES, STATUSES, TITLE_MAX
from app.pages.forms import Form, choices, many_lines, one_line, plain_lines, stripped
from app.pages.moment_field import MomentField
from app.services.tasks import labels
from app.services.tasks.values import DEFAULTS
from app.services.users import users

FIELDS = {"assignee": "assignee_id"}  # form fields that differ in name from the task's field
VERSION_DIGITS = 10


class LabelsField(Field):
    """Labels in one line, separated by commas, or by semicolons if a label contains a comma."""

    widget = TextInput()

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        kept: list[str] = self.data or []
        if "," in "".join(kept):
            return "".join(f"{label}{labels.SEPARATOR} " for label in kept)
        return ", ".join(kept)

    def process_formdata(self, valuelist: list[str]) -> None:
        if valuelist:
            separator = labels.SEPARATOR if labels.SEPARATOR in valuelist[0] else ","
            typed = valuelist[0].split(separator)
            self.data = labels.clean(label for label in typed if label.strip())


class TaskForm(Form):
    title = StringField(
        "Title",
        [DataRequired("Enter a title."), Length(max=TITLE_MAX), one_line],
        filters=[stripped],
        render_kw={"autocomplete": "off"},
    )
    description = TextAreaField(
        "Description", [Length(max=DESCRIPTION_MAX), many_lines], filters=[plain_lines], default=""
    )
    status = SelectField("Status", choices=choices(STATUSES), default=DEFAULTS["status"])
    priority = SelectField("Priority", choices=choices(PRIORITIES), default=DEFAULTS["priority"])
    due_at = MomentField("Due", [Optional()])
    labels = LabelsField("Labels", description="Separated by commas.", default=list)
    assignee = StringField(
        "Assignee",
        filters=[stripped],
        description="A username.",
        default="",
        render_kw={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"},
    )

    assignee_id: str | None = None

    def validate_assignee(self, field: StringField) -> None:
        if field.data:
            try:
                self.assignee_id = users.by_username(field.data).id
            except NotFound:
                raise ValidationError("There is no such user.") from None

    def values(self) -> dict[str, Any]:
        """Return the arguments of tasks.create and tasks.update."""
        values = {**super().values(), "assignee_id": self.assignee_id}
        del values["assignee"]
        return values


def seen_version() -> int:
    """Return the version from which the form was filled; 0, older than any, if it has none."""
    given = request.form.get("version", "")
    readable = given.isascii() and given.isdigit() and len(given) < VERSION_DIGITS
    return int(given) if readable else 0


class EditForm(TaskForm):
    """The form of an existing task. It detects conflicting edits by the task's version."""

    def __init__(self, task: Task, people: dict[str, str]) -> None:
        super().__init__(obj=task, assignee=people.get(task.assignee_id or "", ""))
        self.version = seen_version() if self.is_submitted() else task.version

    def changes(self) -> dict[str, Any]:
        """Return the values without the fields whose stored version the user keeps."""
        stay = {FIELDS.get(name, name) for name in request.form.getlist("take")}
        return {name: value for name, value in self.values().items() if name not in stay}

    def differing(self, theirs: Task, people: dict[str, str]) -> dict[str, Any]:
        """Return the stored values that differ from the form, by field name."""
        mine = self.values()
        return {
            field.name: people.get(kept, "") if field.name == "assignee" else kept
            for field in self
            if (name := FIELDS.get(field.name, field.name)) in mine
            and (kept := getattr(theirs, name)) != mine[name]
        }
