"""An index for the list of everybody's personal tokens.

Revision ID: 0004
Revises: 0003
Create Date: 2026-11-21
"""

from migrations import indexes

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade():
    indexes.create(
        "ix_tokens_personal_created_at", "tokens (created_at, id) WHERE kind = 'personal'"
    )


def downgrade():
    indexes.drop("ix_tokens_personal_created_at")
