"""All resources, and what follows from their declarations.

A new resource is one line in RESOURCES, beside the import of its module.
"""

from collections.abc import Iterable

from app.models import (
    audit_event,
    comment,
    email_change,
    factor,
    idempotency_record,
    linked_account,
    one_time_link,
    outbox,
    session,
    sign_in_attempt,
    spent_challenge,
    task,
    token,
    unsent_form,
    user,
    webhook,
    webhook_secret,
)
from app.models.base import table_of
from app.models.resource import Resource

# The order of scopes and events in lists, of the lists in the account export, and of a purge.
RESOURCES: tuple[Resource, ...] = (
    task.RESOURCE,
    comment.RESOURCE,
    user.RESOURCE,
    token.RESOURCE,
    session.RESOURCE,
    sign_in_attempt.RESOURCE,
    factor.RESOURCE,
    factor.CODES_RESOURCE,
    linked_account.RESOURCE,
    unsent_form.RESOURCE,
    one_time_link.RESOURCE,
    email_change.RESOURCE,
    webhook.RESOURCE,
    webhook_secret.RESOURCE,
    outbox.RESOURCE,
    idempotency_record.RESOURCE,
    spent_challenge.RESOURCE,
    audit_event.RESOURCE,
)


def joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the pairs by name. Raises ValueError for a name that is declared twice."""
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"{name} is declared twice.")
        found[name] = value
    return found


# The meaning of each scope. Only a token of an admin can have "admin".
SCOPES = joined(pair for each in RESOURCES for pair in each.scopes.items())
# The meaning of each event that webhooks can receive.
EVENTS = joined(pair for each in RESOURCES for pair in (each.events or {}).items())
# The target type of each audit action.
ACTIONS = joined((action, each.target_type) for each in RESOURCES for action in each.actions)
# The records of a user, as texts name them: "tasks".
OWN_RECORDS = " and ".join(each.plural for each in RESOURCES if each.home) or "records"
BY_NAME = {each.name: each for each in RESOURCES}
BY_TABLE = {each.plural: each for each in RESOURCES}


def holder_of(resource: Resource) -> Resource:
    """Return the resource whose persons see a row: that of `parent`, or the resource itself."""
    if resource.parent is None:
        return resource
    (key,) = table_of(resource.model).c[resource.parent.key].foreign_keys
    return BY_TABLE[key.column.table.name]


def scopes_of_events(verb: str) -> tuple[str, ...]:
    """Return the scopes ("tasks:read") of the resources with events. A webhook requires one.

    Without such a resource it is that of the account.
    """
    scopes = (scope for each in RESOURCES if each.events for scope in each.scopes)
    found = tuple(scope for scope in scopes if scope.endswith(f":{verb}"))
    return found or (f"profile:{verb}",)


def words_of(target_type: str) -> tuple[str, ...]:
    """Return the words of all resources whose actions have this target type."""
    found = (each.words for each in RESOURCES if each.target_type == target_type)
    return tuple(word for words in found for word in words)
