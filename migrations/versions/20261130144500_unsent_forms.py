"""Forms whose session had ended, kept for a day until their author signs in again.

Revision ID: 20261130144500
Revises: 20261130144000
Create Date: 2026-11-30

The table is new: its foreign key holds up writes of accounts for a moment.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261130144500"
down_revision = "20261130144000"
branch_labels = None
depends_on = None

Id = sa.String(36).with_variant(postgresql.UUID(as_uuid=False), "postgresql")
Moment = sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")
Json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade():
    op.create_table(
        "unsent_forms",
        sa.Column("id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("path", sa.String(2000), nullable=False),
        sa.Column("content", Json, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("expires_at", Moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_unsent_forms_user_id_users", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_unsent_forms"),
    )
    op.create_index("ix_unsent_forms_user_id", "unsent_forms", ["user_id"])
    op.create_index("ix_unsent_forms_expires_at", "unsent_forms", ["expires_at"])


def downgrade():
    op.drop_table("unsent_forms")
