"""The request that each entry of the outbox follows from.

Revision ID: 20261130081459
Revises: 20261130080541
Create Date: 2026-11-30

The default lets an older release go on adding entries.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261130081459"
down_revision = "20261130080541"
branch_labels = None
depends_on = None


def upgrade():
    column = sa.Column("request_id", sa.String(128), server_default="", nullable=False)
    op.add_column("outbox", column)


def downgrade():
    op.drop_column("outbox", "request_id")
