"""On PostgreSQL: what clients that follow along may be shown (app/services/shared/following.py).

Revision ID: 20261130080541
Revises: 20261130075315
Create Date: 2026-11-30

- A trigger on each followed table takes a shared advisory lock whose second key is the second of
  the row's moment. pg_locks, which every role may read, so names the oldest moment that is still
  to be committed, behind a pooler and in a prepared transaction too. PostgreSQL gives locks back
  after the commit is visible.
- The sequence `followed_until` holds the newest moment that was handed out, in microseconds since
  1970. Sequences are read and set outside of transactions, so a moment is either locked before a
  reader looks, or it meets the reader's and is refused (40001), and the service takes a new one.

The order in both functions matters: lock, then read the sequence; set the sequence, then read the
locks. Rows whose moment is over an hour old are history that is restored or seeded, in any number:
they are not followed and take no lock. A moment in `followed_until` that lies a minute ahead of the
clock was set before the clock was put back, and counts for nothing.

CREATE TRIGGER waits for running writers, up to the time limit of migrations/env.py, and does not
look at the rows. Code of an earlier release works with it: there, too, a refusal is tried again.
"""

from alembic import op

revision = "20261130080541"
down_revision = "20261130075315"
branch_labels = None
depends_on = None

KEY = 1_718_772_076  # the first key of the advisory locks, of nothing else
BASE = 1_767_225_600  # 2026-01-01: seconds from there fit into the second key until 2094
LAST = 2**31 - 1
MARK = "pg_sequence_last_value('followed_until'::regclass)"
# One expression, which PL/pgSQL plans once for each connection; CASE keeps its order.
GUARD = f"""
CREATE FUNCTION guard_{{table}}_moment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (CASE
    WHEN NEW.{{column}} < now() - interval '1 hour' THEN false
    WHEN pg_try_advisory_xact_lock_shared(
      {KEY}, least(floor(date_part('epoch', NEW.{{column}})) - {BASE}, {LAST})::int
    ) THEN date_part('epoch', NEW.{{column}}) * 1000000 <= {MARK}
      AND {MARK} < (date_part('epoch', clock_timestamp()) + 60) * 1000000
    ELSE true
  END) THEN
    RAISE EXCEPTION 'A moment at or after % was handed out.', NEW.{{column}}
      USING ERRCODE = 'serialization_failure', CONSTRAINT = 'followed_until', DETAIL = {MARK};
  END IF;
  RETURN NEW;
END $$
"""
OLDEST = f"""
CREATE FUNCTION oldest_running_moment() RETURNS timestamptz LANGUAGE sql AS $$
  SELECT to_timestamp({BASE} + min(objid::bigint)) FROM pg_locks
  WHERE locktype = 'advisory' AND classid = {KEY} AND objsubid = 2
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
$$
"""
FOLLOW = f"""
CREATE FUNCTION follow_until(newest timestamptz) RETURNS timestamptz LANGUAGE plpgsql
SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  bound timestamptz := least(
    newest, clock_timestamp(), oldest_running_moment() - interval '1 microsecond'
  );
  reached bigint := extract(epoch FROM bound) * 1000000;
BEGIN
  IF reached > coalesce({MARK}, 0) THEN
    PERFORM pg_advisory_xact_lock({KEY + 1}, 0);
  END IF;
  IF reached > coalesce({MARK}, 0)
    OR {MARK} > extract(epoch FROM clock_timestamp() + interval '1 minute') * 1000000
  THEN
    PERFORM setval('followed_until', reached);
  END IF;
  RETURN least(bound, oldest_running_moment() - interval '1 microsecond');
END $$
"""
FOLLOWED = {
    "task": ("tasks", "updated_at", "INSERT OR UPDATE OF updated_at"),
    "audit_event": ("audit_events", "created_at", "INSERT"),
}


def upgrade():
    if op.get_context().dialect.name != "postgresql":
        return
    op.execute("CREATE SEQUENCE followed_until AS bigint MINVALUE 0")
    op.execute("GRANT SELECT ON SEQUENCE followed_until TO PUBLIC")
    op.execute(OLDEST)
    op.execute(FOLLOW)
    for name, (table, column, events) in FOLLOWED.items():
        op.execute(GUARD.format(table=name, column=column))
        op.execute(
            f"CREATE TRIGGER {table}_moment BEFORE {events} ON {table}"
            f" FOR EACH ROW EXECUTE FUNCTION guard_{name}_moment()"
        )


def downgrade():
    if op.get_context().dialect.name != "postgresql":
        return
    for name, (table, _column, _events) in FOLLOWED.items():
        op.execute(f"DROP TRIGGER {table}_moment ON {table}")
        op.execute(f"DROP FUNCTION guard_{name}_moment()")
    op.execute("DROP FUNCTION follow_until(timestamptz)")
    op.execute("DROP FUNCTION oldest_running_moment()")
    op.execute("DROP SEQUENCE followed_until")
