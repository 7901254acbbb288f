"""An index of what people did with tokens and webhooks, for their security log.

Revision ID: 20261130130500
Revises: 20261130130000
Create Date: 2026-11-30

Events of tasks, the most of them, are not in it.
"""

from migrations import indexes

revision = "20261130130500"
down_revision = "20261130130000"
branch_labels = None
depends_on = None


def upgrade():
    indexes.create(
        "ix_audit_events_credentials",
        "audit_events (actor_id, created_at, id) WHERE target_type IN ('token', 'webhook')",
    )


def downgrade():
    indexes.drop("ix_audit_events_credentials")
