"""Indexes for lists of tasks by status and by the moment of completion.

Revision ID: 20261130091944
Revises: 20261130082854
Create Date: 2026-11-30

Each is made in one go, which lets reads pass and holds up whoever writes a task until the table was
read once. Made CONCURRENTLY it would wait for the other processes that stand in line to migrate,
and they for this one.
"""

from alembic import op

revision = "20261130091944"
down_revision = "20261130082854"
branch_labels = None
depends_on = None

LIVE = "WHERE deleted_at IS NULL"
RANK = "(CASE status WHEN 'todo' THEN 0 WHEN 'in_progress' THEN 1 WHEN 'done' THEN 2 ELSE 3 END)"


def upgrade():
    for name, key in (("status", RANK), ("completed_at", "completed_at")):
        op.execute(
            "-- squawk-ignore require-concurrent-index-creation\n"
            f"CREATE INDEX ix_tasks_owner_{name} ON tasks (owner_id, {key}, id) {LIVE}"
        )


def downgrade():
    op.drop_index("ix_tasks_owner_completed_at", "tasks")
    op.drop_index("ix_tasks_owner_status", "tasks")
