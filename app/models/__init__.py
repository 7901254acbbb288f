"""Tables. One module for each; all are imported here so that Alembic sees them."""

from app.models.audit_event import AuditEvent
from app.models.comment import Comment
from app.models.email_change import EmailChange
from app.models.factor import Factor, RecoveryCode
from app.models.idempotency_record import IdempotencyRecord
from app.models.linked_account import LinkedAccount
from app.models.one_time_link import OneTimeLink
from app.models.outbox import OutboxEntry
from app.models.session import Session
from app.models.sign_in_attempt import SignInAttempt
from app.models.spent_challenge import SpentChallenge
from app.models.task import Task
from app.models.token import Token
from app.models.unsent_form import UnsentForm
from app.models.user import User
from app.models.webhook import Webhook
from app.models.webhook_secret import WebhookSecret

__all__ = [
    "AuditEvent",
    "Comment",
    "EmailChange",
    "Factor",
    "IdempotencyRecord",
    "LinkedAccount",
    "OneTimeLink",
    "OutboxEntry",
    "RecoveryCode",
    "Session",
    "SignInAttempt",
    "SpentChallenge",
    "Task",
    "Token",
    "UnsentForm",
    "User",
    "Webhook",
    "WebhookSecret",
]
