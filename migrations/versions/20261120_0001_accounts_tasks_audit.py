"""Accounts, tasks and the audit trail.

Revision ID: 0001
Revises:
Create Date: 2026-11-20

All tables are new: nothing here waits for a lock or rewrites a row.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# The types as they were at this revision, whatever the models say later.
Id = sa.String(36).with_variant(postgresql.UUID(as_uuid=False), "postgresql")
Moment = sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")
PlainText = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TextList = sa.JSON().with_variant(postgresql.ARRAY(sa.Text()), "postgresql")
Json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
LIVE = sa.text("deleted_at IS NULL")
TRASHED = sa.text("deleted_at IS NOT NULL")
ASSIGNED = sa.text("assignee_id IS NOT NULL")


def upgrade():
    create_users()
    create_sessions()
    create_tokens()
    create_tasks()
    create_audit_events()


def create_users():
    op.create_table(
        "users",
        sa.Column("id", Id, nullable=False),
        sa.Column("username", sa.String(80), nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("password_hash", sa.String(255), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("email_verified", sa.Boolean(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("length(username) BETWEEN 3 AND 80", name=op.f("ck_users_username")),
        sa.CheckConstraint("role IN ('user', 'admin')", name=op.f("ck_users_role")),
        sa.CheckConstraint("version >= 1", name=op.f("ck_users_version")),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
    )
    op.create_index("uq_users_username", "users", [sa.text("lower(username)")], unique=True)
    op.create_index("uq_users_email", "users", [sa.text("lower(email)")], unique=True)
    op.create_index("ix_users_created_at", "users", ["created_at", "id"])


def create_sessions():
    op.create_table(
        "sessions",
        sa.Column("id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("remembered", sa.Boolean(), nullable=False),
        sa.Column("address", sa.String(45), nullable=False),
        sa.Column("user_agent", sa.String(255), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("last_seen_at", Moment, nullable=False),
        sa.Column("expires_at", Moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_sessions_user_id_users", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
        sa.UniqueConstraint("hash", name="uq_sessions_hash"),
    )
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"])
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])


def create_tokens():
    op.create_table(
        "tokens",
        sa.Column("id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("family_id", Id, nullable=False),
        sa.Column("parent_id", Id),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("prefix", sa.String(16), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("scopes", sa.String(255), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("signed_in_at", Moment),
        sa.Column("last_used_at", Moment),
        sa.Column("spent_at", Moment),
        sa.Column("expires_at", Moment),
        sa.CheckConstraint(
            "kind IN ('access', 'refresh', 'personal', 'reset')", name=op.f("ck_tokens_kind")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_tokens_user_id_users", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_tokens"),
        sa.UniqueConstraint("hash", name="uq_tokens_hash"),
    )
    op.create_index("ix_tokens_user_id", "tokens", ["user_id"])
    op.create_index("ix_tokens_family_id", "tokens", ["family_id"])
    op.create_index("ix_tokens_parent_id", "tokens", ["parent_id"])
    op.create_index("ix_tokens_expires_at", "tokens", ["expires_at"])


def create_tasks():
    op.create_table(
        "tasks",
        sa.Column("id", Id, nullable=False),
        sa.Column("title", PlainText, nullable=False),
        sa.Column("description", PlainText, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("due_at", Moment),
        sa.Column("labels", TextList, nullable=False),
        sa.Column("owner_id", Id, nullable=False),
        sa.Column("assignee_id", Id),
        sa.Column("completed_at", Moment),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", Moment),
        sa.Column("label_keys", TextList, nullable=False),
        sa.CheckConstraint("length(title) BETWEEN 1 AND 200", name=op.f("ck_tasks_title")),
        sa.CheckConstraint("length(description) <= 10000", name=op.f("ck_tasks_description")),
        sa.CheckConstraint(
            "status IN ('todo', 'in_progress', 'done', 'cancelled')", name=op.f("ck_tasks_status")
        ),
        sa.CheckConstraint("priority BETWEEN 0 AND 3", name=op.f("ck_tasks_priority")),
        sa.CheckConstraint(
            "(status = 'done') = (completed_at IS NOT NULL)", name=op.f("ck_tasks_completed_at")
        ),
        sa.CheckConstraint("version >= 1", name=op.f("ck_tasks_version")),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["users.id"], name="fk_tasks_owner_id_users", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["assignee_id"], ["users.id"], name="fk_tasks_assignee_id_users", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_tasks"),
    )
    index_tasks("ix_tasks_created_at", ["created_at", "id"], LIVE)
    index_tasks("ix_tasks_owner_updated_at", ["owner_id", "updated_at", "id"], LIVE)
    index_tasks("ix_tasks_owner_due_at", ["owner_id", "due_at", "id"], LIVE)
    index_tasks("ix_tasks_owner_priority", ["owner_id", "priority", "id"], LIVE)
    index_tasks("ix_tasks_owner_title", ["owner_id", sa.text("lower(title)"), "id"], LIVE)
    index_tasks("ix_tasks_owner_created_at", ["owner_id", "created_at", "id"])
    index_tasks("ix_tasks_assignee_created_at", ["assignee_id", "created_at", "id"], ASSIGNED)
    index_tasks("ix_tasks_trash", ["deleted_at", "id"], TRASHED)
    if op.get_context().dialect.name == "postgresql":
        op.execute(
            "-- squawk-ignore adding-field-with-default\n"
            "ALTER TABLE tasks ADD COLUMN search tsvector GENERATED ALWAYS AS"
            " (to_tsvector('english', title || ' ' || description)) STORED"
        )
        op.create_index("ix_tasks_search", "tasks", ["search"], postgresql_using="gin")
        op.create_index("ix_tasks_label_keys", "tasks", ["label_keys"], postgresql_using="gin")


def index_tasks(name, columns, where=None):
    op.create_index(name, "tasks", columns, sqlite_where=where, postgresql_where=where)


def create_audit_events():
    op.create_table(
        "audit_events",
        sa.Column("id", Id, nullable=False),
        sa.Column("actor_id", Id),
        sa.Column("token_id", Id),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("target_type", sa.String(32), nullable=False),
        sa.Column("target_id", Id),
        sa.Column("changes", Json, nullable=False),
        sa.Column("address", sa.String(45), nullable=False),
        sa.Column("request_id", sa.String(128), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_events"),
    )
    for name, columns in (
        ("created_at", ["created_at", "id"]),
        ("action", ["action", "created_at", "id"]),
        ("target", ["target_id", "created_at", "id"]),
        ("actor", ["actor_id", "created_at", "id"]),
    ):
        op.create_index(f"ix_audit_events_{name}", "audit_events", columns)
    if op.get_context().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS"
            " $$BEGIN RAISE EXCEPTION 'the audit trail is append-only'; END$$"
        )
        op.execute(
            "CREATE TRIGGER audit_events_append_only BEFORE UPDATE OR DELETE ON audit_events"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        return
    for act in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER audit_events_no_{act.lower()} BEFORE {act} ON audit_events"
            " BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END"
        )


def downgrade():
    for table in ("audit_events", "tasks", "tokens", "sessions", "users"):
        op.drop_table(table)
    if op.get_context().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_change()")
