"""Input schemas of a task: the body of a request, and a line of a file."""

from typing import Any, ClassVar

from marshmallow import ValidationError, post_load

from app.models.task import (
    DESCRIPTION_MAX,
    LABEL_MAX,
    LABELS_MAX,
    PRIORITIES,
    SHOWN,
    STATUSES,
    TITLE_MAX,
)
from app.schemas.coded_fields import Length, List, String
from app.schemas.fields import Identifier, Line, LongText, Moment, Strict, Text, choice
from app.services.tasks import labels as label_rules

_EMPTY: dict[str, Any] = {"description": "", "labels": []}  # values for null


class Labels(List):
    """The labels of a task, without duplicates that differ only in case."""

    def __init__(self, **options: Any) -> None:
        form = {"minLength": 1, "maxLength": LABEL_MAX, "pattern": label_rules.PATTERN}
        super().__init__(String(metadata=form), **options)
        self.metadata = {"maxItems": LABELS_MAX, **self.metadata}

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        # marshmallow's own way takes each label by itself, which only a wrong type needs.
        has_texts_only = isinstance(value, list) and {*map(type, value)} <= {str}
        try:
            given: Any = (
                value if has_texts_only else super()._deserialize(value, attr, data, **kwargs)
            )
            return label_rules.clean(given)
        except ValueError as error:
            raise ValidationError(error.args[0]) from None


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
