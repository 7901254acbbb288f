"""Input schemas of a task: the body of a request, and a line of a file."""

from typing import Any, ClassVar

from marshmallow import post_load

from app.models.task import DESCRIPTION_MAX, PRIORITIES, SHOWN, STATUSES, TITLE_MAX
from app.schemas.coded_fields import Length
from app.schemas.fields import Identifier, Labels, Line, LongText, Moment, Strict, Text, choice

_EMPTY: dict[str, Any] = {"description": "", "labels": []}  # values for null


class TaskIn(Strict):
    title = Line(required=True, validate=Length(min=1, max=TITLE_MAX))
    description = LongText(allow_none=True, validate=Length(max=DESCRIPTION_MAX))
    status = choice(STATUSES)
    priority = choice(PRIORITIES)
    due_at = Moment(allow_none=True)
    labels = Labels(allow_none=True)
    assignee_id = Identifier(allow_none=True)
    resource_fields = SHOWN
    example: ClassVar[dict[str, Any]] = {
        "title": "Water the plums",
        "priority": "high",
        "due_at": "2026-08-01T06:00:00Z",
        "labels": ["garden"],
    }

    @post_load
    def clear(self, values: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {n: _EMPTY.get(n) if v is None else v for n, v in values.items()}


_TASK_FIELDS = TaskIn().declared_fields.keys()


class TaskLine(TaskIn):
    """A line of a file, also of another database's export: an assignee can be any id or name, and
    the dates of the task are accepted.
    """

    assignee_id = Text(allow_none=True)  # type: ignore[assignment]
    assignee = Text(allow_none=True)
    created_at = Moment(allow_none=True)
    completed_at = Moment(allow_none=True)

    @post_load
    def leave_out(self, values: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Remove dates and assignees that are null."""
        return {n: v for n, v in values.items() if v is not None or n in _TASK_FIELDS}
