"""Tags of the OpenAPI document: the groups of operations that generated clients make modules of."""

from typing import Any

_SHARED = {"bulk": "tasks", "exchange": "tasks", "task_views": "tasks"}
SENTENCES = {
    "audit": "The audit trail, for admins.",
    "auth": "Signing in and out, refreshing tokens, and links sent by mail.",
    "comments": "Comments on a task.",
    "document": "This OpenAPI document.",
    "factors": "Second factors and recovery codes.",
    "tasks": "Tasks, their history and statistics, and their import and export.",
    "tokens": "Personal access tokens.",
    "users": "User accounts and invitations.",
    "webhooks": "Webhooks and their deliveries.",
}


def tag_of(endpoint: str) -> str:
    """The tag of an endpoint ("api.tasks.index"): its blueprint, or one that it joins."""
    resource = endpoint.split(".")[1]
    return _SHARED.get(resource, resource)


def described(document: dict[str, Any]) -> list[dict[str, str]]:
    """The tags in use that have a sentence, ordered by name."""
    operations = (each for item in document["paths"].values() for each in item.values())
    used = sorted({tag for each in operations for tag in each["tags"]})
    return [{"name": tag, "description": SENTENCES[tag]} for tag in used if tag in SENTENCES]
