"""The part of the authorization matrix about tasks, the example: statuses, records and bodies."""

from typing import Any

from app.models import Comment, Task
from app.services.shared.actor import Actor
from app.services.tasks import comments, tasks

STATUSES = {
    "GET /tasks": (401, 200, 200, 200, 200, 401, 401, 403),
    "POST /tasks": (401, 201, 201, 201, 201, 401, 401, 403),
    "GET /tasks/{task_id}": (401, 404, 200, 200, 200, 401, 401, 403),
    "PUT /tasks/{task_id}": (401, 404, 200, 403, 200, 401, 401, 403),
    "PATCH /tasks/{task_id}": (401, 404, 200, 200, 200, 401, 401, 403),
    "DELETE /tasks/{task_id}": (401, 404, 204, 403, 204, 401, 401, 403),
    "POST /tasks/{task_id}/restore": (401, 404, 200, 404, 200, 401, 401, 403),
    "GET /tasks/{task_id}/comments": (401, 404, 200, 200, 200, 401, 401, 403),
    "POST /tasks/{task_id}/comments": (401, 404, 201, 201, 201, 401, 401, 403),
    "GET /tasks/{task_id}/comments/{comment_id}": (401, 404, 200, 200, 200, 401, 401, 403),
    "PATCH /tasks/{task_id}/comments/{comment_id}": (401, 404, 200, 403, 200, 401, 401, 403),
    "DELETE /tasks/{task_id}/comments/{comment_id}": (401, 404, 204, 403, 204, 401, 401, 403),
    "GET /tasks/{task_id}/events": (401, 404, 200, 200, 200, 401, 401, 403),
    "POST /tasks/bulk": (401, 404, 200, 200, 200, 401, 401, 403),
    "GET /tasks/export": (401, 200, 200, 200, 200, 401, 401, 403),
    "POST /tasks/import": (401, 201, 201, 201, 201, 401, 401, 403),
    "GET /tasks/labels": (401, 200, 200, 200, 200, 401, 401, 403),
    "GET /tasks/stats": (401, 200, 200, 200, 200, 401, 401, 403),
}
MODELS = (Task, Comment)


def make(operation: str, owner: Actor, assignee: Actor) -> dict[str, str]:
    """Create a task of the owner, assigned to the assignee, with a comment. Return their ids."""
    task = tasks.create(owner, {"title": "Water the plums", "assignee_id": assignee.id})
    comment = comments.create(owner, task.id, "Ripe.")
    if operation.endswith("/restore"):
        tasks.delete(owner, task.id)
    return {"task_id": task.id, "comment_id": comment.id}


def bodies(ids: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Return the arguments of the test client for each operation with a body."""
    change = {"op": "update", "id": ids["task_id"], "data": {"title": "Changed"}}
    return {
        "POST /tasks": {"json": {"title": "x"}},
        "PUT /tasks/{task_id}": {"json": {"title": "Changed"}},
        "PATCH /tasks/{task_id}": {"json": {"title": "Changed"}},
        "POST /tasks/{task_id}/comments": {"json": {"body": "Eaten."}},
        "PATCH /tasks/{task_id}/comments/{comment_id}": {"json": {"body": "Eaten."}},
        "POST /tasks/bulk": {"json": {"operations": [change]}},
        "POST /tasks/import": {"data": "title\nx\n", "content_type": "text/csv"},
    }
