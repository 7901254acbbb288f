"""Challenges that a passkey has answered: each counts once.

Revision ID: 20261130144000
Revises: 20261130130500
Create Date: 2026-11-30

The table is new and refers to no other: it holds up no write.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261130144000"
down_revision = "20261130130500"
branch_labels = None
depends_on = None

Id = sa.String(36).with_variant(postgresql.UUID(as_uuid=False), "postgresql")
Moment = sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")


def upgrade():
    op.create_table(
        "spent_challenges",
        sa.Column("id", Id, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("expires_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_spent_challenges"),
        sa.UniqueConstraint("hash", name="uq_spent_challenges_hash"),
    )
    op.create_index("ix_spent_challenges_expires_at", "spent_challenges", ["expires_at"])


def downgrade():
    op.drop_table("spent_challenges")
