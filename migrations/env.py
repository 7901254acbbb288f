"""The run of migrations, safe if several processes start at once; see docs/operations.md."""

import logging
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import click
from alembic import context
from alembic.runtime.migration import MigrationContext
from flask import current_app
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from app.models.task import POSTGRES_ONLY, SEARCH_TABLES, SQLITE_ONLY, UNCOMPARED
from app.services.operations import readiness
from app.services.operations.readiness import is_later
from app.services.tasks import search as task_search
from app.sql import watchdog
from app.sql.errors import first_line, translated
from migrations import autogenerate, rebuild  # noqa: F401 - the latter registers itself
from migrations.indexes import LOCK_TIMEOUT

LOCK = 0x666C6167  # "flag": the key of PostgreSQL's advisory lock, held while migrating
WAIT = 600  # seconds: for another process that migrates, for a busy table, and of a statement
PAUSE = 0.2  # seconds between two attempts to take the lock
BREATH = 0.1  # seconds between two long revisions, in which writers can take SQLite's lock
RETRY = 1  # second before a revision is retried on a busy table
LOCK_NOT_AVAILABLE = "55P03"
Plan = Callable[..., Iterable[Any]]  # Alembic's: the steps from the heads to the wanted revision
log = logging.getLogger("service.migrate")
migrate = current_app.extensions["migrate"]


def include_object(_object: object, name: str | None, *_: object) -> bool:
    """Return False for objects that Alembic cannot compare with the models."""
    names = POSTGRES_ONLY | SQLITE_ONLY | UNCOMPARED
    return name is None or not (name in names or name.startswith(SEARCH_TABLES))


def shape(migration: object, _revision: object, directives: list) -> None:
    """Complete a revision, drop an empty one, and give any other its id."""
    script, arguments = directives[0], migration.opts["revision_context"].command_args
    if arguments["autogenerate"]:
        metadata = migrate.db.metadata
        autogenerate.compare_expression_indexes(migration.connection, metadata, script)
    if getattr(context.config.cmd_opts, "autogenerate", False) and script.upgrade_ops.is_empty():
        directives[:] = []
        log.info("The models and the database are in step.")
    elif not arguments["rev_id"]:
        script.rev_id = autogenerate.next_id(context.script)


def options() -> dict:
    return {
        "target_metadata": migrate.db.metadata,
        "include_object": include_object,
        "process_revision_directives": shape,
        "render_item": autogenerate.render_item,
        # Each revision commits, so that other writers need not wait for all revisions. Alembic
        # assumes that SQLite cannot roll back DDL, but SQLite can.
        "transactional_ddl": True,
        "transaction_per_migration": True,
        **migrate.configure_args,
    }


def guard(connection: Connection) -> None:
    (guard_postgres if connection.dialect.name == "postgresql" else guard_sqlite)(connection)


def guard_postgres(connection: Connection) -> None:
    """Set the session's timeouts, and wait until no other process migrates."""
    connection.execute(text(f"SET statement_timeout = '{WAIT}s'"))
    connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
    connection.execute(text("SET idle_in_transaction_session_timeout = 0"))
    connection.commit()
    until = time.monotonic() + WAIT
    while not is_first(connection):
        if time.monotonic() > until:
            raise click.ClickException(f"Another process has been migrating for {WAIT} s.")
        time.sleep(PAUSE)


def is_first(connection: Connection) -> bool:
    """Return True if this process has the lock. A waiting statement would hold a snapshot, for
    which CREATE INDEX CONCURRENTLY in the process with the lock would wait in turn.
    """
    asked = connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": LOCK}).scalar()
    connection.commit()
    return bool(asked)


def guard_sqlite(connection: Connection) -> None:
    """Turn foreign keys off, because a batch migration drops and recreates tables, which must not
    cascade; and wait for a migrating process as long as on PostgreSQL.
    """
    cursor = connection.connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {WAIT * 1000}")  # milliseconds
    cursor.execute("PRAGMA foreign_keys=OFF")  # SQLAlchemy would begin a transaction first
    cursor.close()


def is_ahead() -> bool:
    """Return True if a newer release has migrated the database, so that an upgrade does nothing.

    The newer migrations suit the older code (docs/operations.md): going back needs no downgrade.
    """
    migrating = context.get_context()
    if migrating.opts.get("destination_rev") not in ("head", "heads"):
        return False
    known = {one.revision for one in context.script.walk_revisions()}
    unknown = set(migrating.get_current_heads()) - known
    heads = context.script.get_heads()
    if not unknown or not all(is_later(one, head) for one in unknown for head in heads):
        return False
    applied, wanted = ", ".join(sorted(unknown)), ", ".join(heads)
    log.warning(
        "The database is at %s, which is later than %s: nothing is changed.", applied, wanted
    )
    return True


def is_at_head() -> bool:
    """Return True after `flask db upgrade`, unless the database is a newer release's."""
    migrating = context.get_context()
    goes_to_head = migrating.opts.get("destination_rev") in ("head", "heads")
    return goes_to_head and readiness.revision() == readiness.head()


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn the error of an unreachable or busy database into one line and exit status 1."""
    try:
        yield
    except OperationalError as error:
        cause: Any = error.orig
        raise click.ClickException(f"{translated(cause)} ({first_line(cause)})") from error


def run_online() -> None:
    with migrate.db.engine.connect() as connection:
        try:
            guard(connection)
            until = time.monotonic() + WAIT
            context.configure(connection=connection)
            plan = context.get_context().opts["fn"]
            while not try_to_run(connection, plan, last=time.monotonic() > until):
                time.sleep(RETRY)
        finally:
            if not connection.invalidated:
                connection.detach()  # not back to the pool: drops its settings and its lock


class InTurn:
    """The steps of Alembic's `plan`, until another process takes one of them.

    PostgreSQL's advisory lock blocks other processes until the end. SQLite's lock ends with each
    revision, so each revision checks under its own lock that its predecessor is the current one.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.heads: set[str] = set()
        self.is_overtaken = False

    def __call__(self, heads: tuple[str, ...], migrating: MigrationContext) -> Iterator[Any]:
        self.heads, self.is_overtaken = set(heads), False
        for step in self.plan(heads, migrating):
            self.is_overtaken = set(migrating.get_current_heads()) != self.heads  # takes the lock
            if self.is_overtaken:
                return
            began = time.monotonic()
            yield step
            if time.monotonic() - began > BREATH:
                time.sleep(BREATH)

    def note(self, *, heads: set[str], **_: object) -> None:
        """Note the stored `heads` after a revision."""
        self.heads = heads


def try_to_run(connection: Connection, plan: Plan, *, last: bool) -> bool:
    """Return False if a table was busy: the revision is rolled back, and waiting statements run.

    The earlier revisions stay. The `last` try raises the error.
    """
    steps = InTurn(plan)
    context.configure(connection=connection, fn=steps, on_version_apply=steps.note, **options())
    try:
        run(connection)
        while steps.is_overtaken:
            run(connection)
    except OperationalError as error:
        if last or getattr(error.orig, "pgcode", "") != LOCK_NOT_AVAILABLE:
            raise
        connection.rollback()
        log.warning("A table is busy. Trying again in %s s.", RETRY)
        return False
    return True


def run(connection: Connection) -> None:
    with context.begin_transaction():
        if not is_ahead():
            context.run_migrations()
    connection.commit()


def run_offline() -> None:
    url = migrate.db.engine.url.render_as_string(hide_password=False)
    context.configure(url=url, literal_binds=True, **options())
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    run_offline()
else:
    # A migration may take any time.
    with one_line_errors(), watchdog.statement_timeout(None), warnings.catch_warnings():
        # On SQLite's indexes over expressions, which autogenerate and rebuild handle.
        warnings.filterwarnings("ignore", message=".*expression-based index")
        run_online()
        if is_at_head():
            task_search.catch_up()
