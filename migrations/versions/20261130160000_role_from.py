"""The linked account whose groups at a provider gave a role.

Revision ID: 20261130160000
Revises: 20261130154500
Create Date: 2026-11-30

Every role until now was given by hand: the column is empty.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261130160000"
down_revision = "20261130154500"
branch_labels = None
depends_on = None

Id = sa.String(36).with_variant(postgresql.UUID(as_uuid=False), "postgresql")


def upgrade():
    op.add_column("users", sa.Column("role_from", Id))


def downgrade():
    op.drop_column("users", "role_from")
