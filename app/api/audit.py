"""The audit trail, for admins."""

from typing import Any

from flask import Blueprint
from marshmallow import Schema

from app.api.http.operation import ListQuery, operation
from app.models import AuditEvent
from app.schemas.fields import Changes, Identifier, Moment, Text
from app.services.shared import audit
from app.services.shared.actor import Actor
from app.services.shared.paging import Page

bp = Blueprint("audit", __name__, url_prefix="/audit")


class AuditEventOut(Schema):
    id = Identifier(required=True)
    actor_id = Identifier(required=True, allow_none=True)
    token_id = Identifier(required=True, allow_none=True)
    action = Text(required=True)
    target_type = Text(required=True)
    target_id = Identifier(required=True, allow_none=True)
    changes = Changes(required=True)
    address = Text(required=True)
    request_id = Text(required=True)
    created_at = Moment(required=True)


class AuditQuery(ListQuery):
    actor_id = Identifier(metadata={"description": "Who did it."})
    action = Text(metadata={"description": "What was done, as `task.updated`."})
    target_type = Text(metadata={"description": "To what kind of thing, as `task`."})
    target_id = Identifier(metadata={"description": "To which of them."})
    since = Moment(
        metadata={
            "description": "From then on. The list ends before the oldest write that is still "
            "running: ask again from the newest moment seen, and no event is missed."
        }
    )
    until = Moment(metadata={"description": "Before then."})


@bp.get("")
@operation(
    id="listAuditEvents",
    summary="List audit events",
    scopes=("admin",),
    query=AuditQuery(),
    returns=AuditEventOut(),
)
def index(actor: Actor, query: dict[str, Any], **paging: Any) -> Page[AuditEvent]:
    """The newest first."""
    return audit.page(actor, **query, **paging)
