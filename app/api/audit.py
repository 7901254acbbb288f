"""The audit trail, for admins."""

from typing import Any

from flask import Blueprint
from marshmallow import Schema

from app.api.http.declaration import ListQuery
from app.api.http.operation import operation
from app.models import AuditEvent
from app.schemas.fields import Changes, Identifier, Moment, Text
from app.services.shared import audit
from app.services.shared.actor import Actor
from app.services.shared.paging import Page, PageRequest

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
    actor_id = Identifier(metadata={"description": "The user who acted."})
    action = Text(metadata={"description": "The action, such as `task.updated`."})
    target_type = Text(metadata={"description": "The type of the target, such as `task`."})
    target_id = Identifier(metadata={"description": "The id of the target."})
    since = Moment(
        metadata={
            "description": "Created at or after this time. The list ends before the oldest write "
            "that is still running: poll from the newest time received and no event is missed."
        }
    )
    until = Moment(metadata={"description": "Created before this time."})


@bp.get("")
@operation(
    id="listAuditEvents",
    summary="List audit events",
    scopes=("admin",),
    query=AuditQuery(),
    returns=AuditEventOut(),
)
def index(actor: Actor, query: dict[str, Any], paging: PageRequest) -> Page[AuditEvent]:
    """Events are ordered newest first."""
    return audit.page(actor, paging, **query)
