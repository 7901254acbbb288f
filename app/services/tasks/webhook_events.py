"""The events of tasks and comments for webhooks."""

from app.models import Comment, Task
from app.models.task import SHOWN
from app.services.shared.actor import Actor
from app.services.webhooks import events

# Without `body`, which a delivery adds when it is sent (`fresh` of the resource).
COMMENT_FIELDS = ("id", "task_id", "author_id", "created_at", "updated_at")


def of_task(actor: Actor, event: str, task: Task, before: Task | None = None) -> None:
    """Queue an event for the owner, the assignee, and the earlier assignee named by `before`."""
    data = {name: getattr(task, name) for name in SHOWN}
    earlier = before.assignee_id if before else None
    events.emit(actor, event, data, task.owner_id, task.assignee_id, earlier)


def of_comment(actor: Actor, event: str, comment: Comment, task: Task) -> None:
    data = {name: getattr(comment, name) for name in COMMENT_FIELDS}
    events.emit(actor, event, data, task.owner_id, task.assignee_id)
