"""Tags of the OpenAPI document: groups of operations, which generated clients turn into modules."""

from typing import Any

_SHARED = {"bulk": "tasks", "exchange": "tasks", "task_views": "tasks"}
SENTENCES = {
    "audit": "Audit trail (admins only).",
    "auth": "Sign-in, sign-out, token refresh, password reset and email confirmation.",
    "comments": "Comments on a task.",
    "document": "The OpenAPI document.",
    "factors": "Second factors and recovery codes.",
    "tasks": "Tasks, their history and statistics, and their import and export.",
    "tokens": "Personal access tokens.",
    "users": "User accounts and invitations.",
    "webhooks": "Webhooks and their deliveries.",
}


def tag_of(endpoint: str) -> str:
    """Return the tag of an endpoint ("api.tasks.index"): its blueprint, or the shared tag."""
    resource = endpoint.split(".")[-2]
    return _SHARED.get(resource, resource)


def described(document: dict[str, Any]) -> list[dict[str, str]]:
    """Return the used tags that have a sentence, ordered by name."""
    operations = (each for item in document["paths"].values() for each in item.values())
    used = sorted({tag for each in operations for tag in each["tags"]})
    return [{"name": tag, "description": SENTENCES[tag]} for tag in used if tag in SENTENCES]
