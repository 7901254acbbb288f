"""Scopes of tokens and events of webhooks have no limit: each resource adds to them.

Revision ID: 20261130075315
Revises: 0004
Create Date: 2026-11-30

PostgreSQL changes its catalogue alone, without reading a row. SQLite has never held anybody to the
limit, so that its tables stay as they are. Going back reads both tables, and stops with nothing
changed where a value is longer than the limit.
"""

from alembic import op

revision = "20261130075315"
down_revision = "0004"
branch_labels = None
depends_on = None

COLUMNS = (("tokens", "scopes"), ("webhooks", "events"))


def upgrade():
    change_type("VARCHAR")


def downgrade():
    change_type("VARCHAR(255)")


def change_type(name):
    if op.get_context().dialect.name != "postgresql":
        return
    for table, column in COLUMNS:
        op.execute(
            "-- squawk-ignore changing-column-type\n"
            f"ALTER TABLE {table} ALTER COLUMN {column} TYPE {name}"
        )
