"""An index of what people did with tokens and webhooks, for their security log.

Revision ID: 20261130130500
Revises: 20261130130000
Create Date: 2026-11-30

It is made in one go, which lets reads pass and holds up whoever writes an event until the table was
read once. Events of tasks, the most of them, are not in it.
"""

from alembic import op

revision = "20261130130500"
down_revision = "20261130130000"
branch_labels = None
depends_on = None


def upgrade():
    op.execute(
        "-- squawk-ignore require-concurrent-index-creation\n"
        "CREATE INDEX ix_audit_events_credentials ON audit_events (actor_id, created_at, id)"
        " WHERE target_type IN ('token', 'webhook')"
    )


def downgrade():
    op.drop_index("ix_audit_events_credentials", "audit_events")
