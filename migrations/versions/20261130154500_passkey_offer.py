"""The moment when somebody declined the offer of a passkey.

Revision ID: 20261130154500
Revises: 20261130152000
Create Date: 2026-11-30

The column may be null: no row is rewritten, and older code does not name it.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261130154500"
down_revision = "20261130152000"
branch_labels = None
depends_on = None

Moment = sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")


def upgrade():
    op.add_column("users", sa.Column("passkey_declined_at", Moment, nullable=True))


def downgrade():
    op.drop_column("users", "passkey_declined_at")
