"""The service of specimens, as a fork writes the service of a resource."""

from typing import Any

from sqlalchemy import func

from app.models.types import now
from app.services.shared import filters
from app.services.shared.filters import Filter
from app.services.shared.records import Records
from app.services.webhooks import record_events
from tests.specimen.model import RESOURCE, SPECIMENS, Specimen


def with_sale(values: dict[str, Any], before: Specimen | None) -> dict[str, Any]:
    """Add the moment of the sale, which follows from the state."""
    if "state" not in values:
        return values
    return {**values, "sold_at": now() if values["state"] == "sold" else None}


RECORDS = Records[Specimen](
    RESOURCE,
    sorts={
        "created_at": SPECIMENS.c.created_at,
        "due_at": SPECIMENS.c.due_at,
        "rank": SPECIMENS.c.rank,
        "name": func.lower(SPECIMENS.c.name),
    },
    filters={
        "state": Filter(SPECIMENS.c.state),
        "rank": Filter(SPECIMENS.c.rank),
        "reviewer_id": Filter(SPECIMENS.c.reviewer_id),
        "archived": Filter(SPECIMENS.c.archived),
        "due_before": filters.before(SPECIMENS.c.due_at),
        "due_after": filters.after(SPECIMENS.c.due_at),
    },
    taken={"name": "You have a specimen of this name."},
    derive=with_sale,
    tell=record_events.told_to_persons(RESOURCE, ("id", "name", "state", "owner_id")),
)
get, page, create = RECORDS.get, RECORDS.page, RECORDS.create
update, delete, restore = RECORDS.update, RECORDS.delete, RECORDS.restore
