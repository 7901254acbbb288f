"""An index for the list of everybody's personal tokens.

Revision ID: 0004
Revises: 0003
Create Date: 2026-11-21

It is made in one go, which lets reads pass and holds up whoever signs in or refreshes: no longer
than it takes to read the table once, and expired tokens leave that each hour. Made CONCURRENTLY it
would wait for the other processes that stand in line to migrate, and they for this one.
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade():
    op.execute(
        "-- squawk-ignore require-concurrent-index-creation\n"
        "CREATE INDEX ix_tokens_personal_created_at ON tokens (created_at, id)"
        " WHERE kind = 'personal'"
    )


def downgrade():
    op.drop_index("ix_tokens_personal_created_at", "tokens")
