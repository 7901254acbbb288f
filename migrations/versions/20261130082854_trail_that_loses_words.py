"""The audit trail may lose words and end, and still cannot be changed.

Revision ID: 20261130082854
Revises: 20261130081459
Create Date: 2026-11-30

- An update may only empty `address` and remove members of `changes`, to erase data that is deleted
  elsewhere. Any other update is refused as before.
- A deletion may only take events before the time that `changes.before` of the newest event
  `audit.purged` names: no event is deleted without a record.

Nothing is locked and no row is read: PostgreSQL replaces a function, SQLite two triggers. Code of
an earlier release neither updates nor deletes events. `flask purge` erases the data of that code
(app/services/shared/audit_erasure.py).
"""

from alembic import op

revision = "20261130082854"
down_revision = "20261130081459"
branch_labels = None
depends_on = None

REFUSAL = "the audit trail is append-only"
POSTGRES = f"""
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    IF OLD.created_at < (
      SELECT (changes -> 'before' ->> 1)::timestamptz FROM audit_events
      WHERE action = 'audit.purged' ORDER BY created_at DESC, id DESC LIMIT 1
    ) THEN
      RETURN OLD;
    END IF;
  ELSIF NEW.address IN (OLD.address, '')
    AND jsonb_typeof(NEW.changes) = 'object'
    AND NOT EXISTS (
      SELECT FROM jsonb_each(NEW.changes) AS kept
      WHERE kept.value IS DISTINCT FROM OLD.changes -> kept.key
    )
    AND to_jsonb(NEW) - '{{address,changes}}'::text[]
      = to_jsonb(OLD) - '{{address,changes}}'::text[]
  THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION '{REFUSAL}';
END $$
"""
POSTGRES_BEFORE = f"""
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
$$BEGIN RAISE EXCEPTION '{REFUSAL}'; END$$
"""
FIXED = (
    "id",
    "actor_id",
    "token_id",
    "action",
    "target_type",
    "target_id",
    "request_id",
    "created_at",
)
NO_UPDATE = f"""
CREATE TRIGGER audit_events_no_update BEFORE UPDATE ON audit_events
WHEN NOT (
  {" AND ".join(f"NEW.{name} IS OLD.{name}" for name in FIXED)}
  AND NEW.address IN (OLD.address, '')
  AND json_type(NEW.changes) = 'object'
  AND NOT EXISTS (
    SELECT 1 FROM json_each(NEW.changes) AS kept WHERE NOT EXISTS (
      SELECT 1 FROM json_each(OLD.changes) AS old
      WHERE old.key = kept.key AND old.type = kept.type AND old.value IS kept.value
    )
  )
)
BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END
"""
NO_DELETE = f"""
CREATE TRIGGER audit_events_no_delete BEFORE DELETE ON audit_events
WHEN OLD.created_at >= coalesce((
  SELECT json_extract(changes, '$.before[1]') FROM audit_events
  WHERE action = 'audit.purged' ORDER BY created_at DESC, id DESC LIMIT 1
), '')
BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END
"""
SQLITE_BEFORE = [
    f"CREATE TRIGGER audit_events_no_{act.lower()} BEFORE {act} ON audit_events"
    f" BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
    for act in ("UPDATE", "DELETE")
]


def upgrade():
    replace(POSTGRES, [NO_UPDATE, NO_DELETE])


def downgrade():
    replace(POSTGRES_BEFORE, SQLITE_BEFORE)


def replace(function, triggers):
    if op.get_context().dialect.name == "postgresql":
        op.execute(function)
        return
    for act in ("update", "delete"):
        op.execute(f"DROP TRIGGER audit_events_no_{act}")
    for trigger in triggers:
        op.execute(trigger)
