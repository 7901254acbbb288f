"""An index of each owner's trash.

Revision ID: 20261130214500
Revises: 20261130160000
Create Date: 2026-11-30

A page of the trash read all tasks of its owner. Live tasks are not in this index.
"""

from migrations import indexes

revision = "20261130214500"
down_revision = "20261130160000"
branch_labels = None
depends_on = None

NAME = "ix_tasks_owner_trash"


def upgrade():
    indexes.create(NAME, "tasks (owner_id, created_at, id) WHERE deleted_at IS NOT NULL")


def downgrade():
    indexes.drop(NAME)
