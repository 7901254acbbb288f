"""Tables. One module for each; all are imported here so that Alembic sees them."""

from app.models.audit_event import AuditEvent
from app.models.session import Session
from app.models.task import Task
from app.models.token import Token
from app.models.user import User

__all__ = ["AuditEvent", "Session", "Task", "Token", "User"]
