"""Several authenticator apps for an account, so that a phone is replaced without a gap.

Revision ID: 20261130152000
Revises: 20261130144500
Create Date: 2026-11-30

The downgrade keeps the newest app of each account: the code before knows one.
"""

from alembic import op

from migrations import indexes

revision = "20261130152000"
down_revision = "20261130144500"
branch_labels = None
depends_on = None


def upgrade():
    indexes.drop("uq_factors_totp")


def downgrade():
    op.execute(
        "DELETE FROM factors WHERE kind = 'totp' AND EXISTS (SELECT 1 FROM factors AS newer"
        " WHERE newer.user_id = factors.user_id AND newer.kind = 'totp' AND newer.id > factors.id)"
    )
    indexes.create("uq_factors_totp", "factors (user_id) WHERE kind = 'totp'", unique=True)
