"""The tables, one module each. Alembic needs all of them imported here."""

from app.models.audit_event import AUDIT_EVENTS, AuditEvent
from app.models.comment import COMMENTS, Comment
from app.models.email_change import EMAIL_CHANGES, EmailChange
from app.models.factor import FACTORS, RECOVERY_CODES, Factor, RecoveryCode
from app.models.idempotency_record import IDEMPOTENCY_RECORDS, IdempotencyRecord
from app.models.linked_account import LINKED_ACCOUNTS, LinkedAccount
from app.models.one_time_link import ONE_TIME_LINKS, OneTimeLink
from app.models.outbox import OUTBOX_ENTRIES, OutboxEntry
from app.models.session import SESSIONS, Session
from app.models.sign_in_attempt import SIGN_IN_ATTEMPTS, SignInAttempt
from app.models.spent_challenge import SPENT_CHALLENGES, SpentChallenge
from app.models.task import TASKS, Task
from app.models.token import TOKENS, Token
from app.models.unsent_form import UNSENT_FORMS, UnsentForm
from app.models.user import USERS, User
from app.models.webhook import WEBHOOKS, Webhook
from app.models.webhook_secret import WEBHOOK_SECRETS, WebhookSecret

__all__ = [
    "AUDIT_EVENTS",
    "COMMENTS",
    "EMAIL_CHANGES",
    "FACTORS",
    "IDEMPOTENCY_RECORDS",
    "LINKED_ACCOUNTS",
    "ONE_TIME_LINKS",
    "OUTBOX_ENTRIES",
    "RECOVERY_CODES",
    "SESSIONS",
    "SIGN_IN_ATTEMPTS",
    "SPENT_CHALLENGES",
    "TASKS",
    "TOKENS",
    "UNSENT_FORMS",
    "USERS",
    "WEBHOOKS",
    "WEBHOOK_SECRETS",
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
