"""Earlier secrets of webhooks.

Revision ID: 20261130123500
Revises: 20261130111500
Create Date: 2026-11-30

The table is new: its foreign key holds up writes of webhooks for a moment. An older release that
still runs signs with the present secret alone.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261130123500"
down_revision = "20261130111500"
branch_labels = None
depends_on = None

Id = sa.String(36).with_variant(postgresql.UUID(as_uuid=False), "postgresql")
Moment = sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")


def upgrade():
    op.create_table(
        "webhook_secrets",
        sa.Column("id", Id, nullable=False),
        sa.Column("webhook_id", Id, nullable=False),
        sa.Column("secret", sa.String(255), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("expires_at", Moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["webhook_id"],
            ["webhooks.id"],
            name="fk_webhook_secrets_webhook_id_webhooks",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_secrets"),
    )
    op.create_index("ix_webhook_secrets_webhook_id", "webhook_secrets", ["webhook_id"])
    op.create_index("ix_webhook_secrets_expires_at", "webhook_secrets", ["expires_at"])


def downgrade():
    op.drop_table("webhook_secrets")
