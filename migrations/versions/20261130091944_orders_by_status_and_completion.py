"""Indexes for lists of tasks by status and by the moment of completion.

Revision ID: 20261130091944
Revises: 20261130082854
Create Date: 2026-11-30
"""

from migrations import indexes

revision = "20261130091944"
down_revision = "20261130082854"
branch_labels = None
depends_on = None

LIVE = "WHERE deleted_at IS NULL"
RANK = "(CASE status WHEN 'todo' THEN 0 WHEN 'in_progress' THEN 1 WHEN 'done' THEN 2 ELSE 3 END)"


def upgrade():
    indexes.create("ix_tasks_owner_status", f"tasks (owner_id, {RANK}, id) {LIVE}")
    indexes.create("ix_tasks_owner_completed_at", f"tasks (owner_id, completed_at, id) {LIVE}")


def downgrade():
    indexes.drop("ix_tasks_owner_completed_at")
    indexes.drop("ix_tasks_owner_status")
