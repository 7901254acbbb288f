"""The events of a resource's records for webhooks: the `tell` of app.services.shared.records."""

from collections.abc import Sequence
from typing import Any

from app.models.resource import Resource
from app.services.shared.actor import Actor
from app.services.shared.records import Tell
from app.services.webhooks import events


def told_to_persons(resource: Resource, shown: Sequence[str]) -> Tell:
    """Return a function that queues the declared events with the values of the `shown` columns.

    It goes to the webhooks of the record's persons, up to two, and of the earlier second one.
    """
    names = [person.key for person in resource.person]

    def tell(actor: Actor, event: str, record: Any, before: Any) -> None:
        if event not in (resource.events or ()):
            return
        data = {name: getattr(record, name) for name in shown}
        persons = [getattr(record, name) for name in names]
        earlier = [getattr(before, name) for name in names[1:]] if before else []
        events.emit(actor, event, data, *persons, *earlier)

    return tell
