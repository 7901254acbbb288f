"""Outbox, webhooks, second factors, identities, links.

Revision ID: 0003
Revises: 0002
Create Date: 2026-11-21

The tables are new, and the column added to sessions may be null: no row is rewritten. Their foreign
keys lock users until the end of this migration, which lets reads pass and holds writes up for a
moment. Links to set a password that were made before it, as tokens, are void after it: they live an
hour and can be asked for again.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

Id = sa.String(36).with_variant(postgresql.UUID(as_uuid=False), "postgresql")
Moment = sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")
PlainText = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
Json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
PENDING = sa.text("status = 'pending'")
TOTP = sa.text("kind = 'totp'")


def upgrade():
    create_webhooks()
    create_outbox()
    create_factors()
    create_identities()
    create_links()
    op.add_column("sessions", sa.Column("proved_at", Moment))


def of_user(table):
    return sa.ForeignKeyConstraint(
        ["user_id"], ["users.id"], name=f"fk_{table}_user_id_users", ondelete="CASCADE"
    )


def create_webhooks():
    op.create_table(
        "webhooks",
        sa.Column("id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("url", sa.String(2000), nullable=False),
        sa.Column("secret", sa.String(255), nullable=False),
        sa.Column("events", sa.String(255), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("failing_since", Moment),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("version >= 1", name=op.f("ck_webhooks_version")),
        of_user("webhooks"),
        sa.PrimaryKeyConstraint("id", name="pk_webhooks"),
    )
    op.create_index("ix_webhooks_user_id", "webhooks", ["user_id"])


def create_outbox():
    op.create_table(
        "outbox",
        sa.Column("id", Id, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("payload", Json, nullable=False),
        sa.Column("user_id", Id),
        sa.Column("webhook_id", Id),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("run_at", Moment, nullable=False),
        sa.Column("response_status", sa.Integer()),
        sa.Column("error", PlainText, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("finished_at", Moment),
        sa.CheckConstraint("kind IN ('mail', 'webhook')", name=op.f("ck_outbox_kind")),
        sa.CheckConstraint("status IN ('pending', 'done', 'dead')", name=op.f("ck_outbox_status")),
        of_user("outbox"),
        sa.ForeignKeyConstraint(
            ["webhook_id"],
            ["webhooks.id"],
            name="fk_outbox_webhook_id_webhooks",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
    )
    op.create_index("ix_outbox_user_id", "outbox", ["user_id"])
    op.create_index("ix_outbox_finished_at", "outbox", ["finished_at"])
    op.create_index("ix_outbox_webhook", "outbox", ["webhook_id", "created_at", "id"])
    op.create_index("ix_outbox_status", "outbox", ["status", "created_at", "id"])
    op.create_index(
        "ix_outbox_due",
        "outbox",
        ["kind", "run_at"],
        postgresql_where=PENDING,
        sqlite_where=PENDING,
    )


def create_factors():
    op.create_table(
        "factors",
        sa.Column("id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("secret", sa.String(255)),
        sa.Column("last_step", sa.BigInteger()),
        sa.Column("credential_id", PlainText),
        sa.Column("public_key", PlainText),
        sa.Column("sign_count", sa.BigInteger()),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("confirmed_at", Moment),
        sa.Column("last_used_at", Moment),
        sa.CheckConstraint("kind IN ('totp', 'passkey')", name=op.f("ck_factors_kind")),
        of_user("factors"),
        sa.PrimaryKeyConstraint("id", name="pk_factors"),
    )
    op.create_index("ix_factors_user_id", "factors", ["user_id"])
    op.create_index("uq_factors_credential", "factors", ["credential_id"], unique=True)
    op.create_index(
        "uq_factors_totp",
        "factors",
        ["user_id"],
        unique=True,
        postgresql_where=TOTP,
        sqlite_where=TOTP,
    )
    op.create_table(
        "recovery_codes",
        sa.Column("id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("used_at", Moment),
        of_user("recovery_codes"),
        sa.PrimaryKeyConstraint("id", name="pk_recovery_codes"),
        sa.UniqueConstraint("hash", name="uq_recovery_codes_hash"),
    )
    op.create_index("ix_recovery_codes_user_id", "recovery_codes", ["user_id"])


def create_identities():
    op.create_table(
        "identities",
        sa.Column("id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("issuer", sa.String(255), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("last_used_at", Moment),
        of_user("identities"),
        sa.PrimaryKeyConstraint("id", name="pk_identities"),
    )
    op.create_index("ix_identities_user_id", "identities", ["user_id"])
    op.create_index("uq_identities_subject", "identities", ["issuer", "subject"], unique=True)


def create_links():
    op.create_table(
        "links",
        sa.Column("id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("purpose", sa.String(16), nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("expires_at", Moment, nullable=False),
        sa.CheckConstraint(
            "purpose IN ('reset', 'invite', 'confirm')", name=op.f("ck_links_purpose")
        ),
        of_user("links"),
        sa.PrimaryKeyConstraint("id", name="pk_links"),
        sa.UniqueConstraint("hash", name="uq_links_hash"),
    )
    op.create_index("ix_links_user", "links", ["user_id", "purpose"])
    op.create_index("ix_links_expires_at", "links", ["expires_at"])


def downgrade():
    op.drop_column("sessions", "proved_at")
    for table in ("links", "identities", "recovery_codes", "factors", "outbox", "webhooks"):
        op.drop_table(table)
