"""Runs the migrations. Safe when several processes start it at once; see docs/operations.md."""

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
PAUSE = 0.2  # seconds between two looks whether another process has migrated
BREATH = 0.1  # seconds between two revisions that took as long: who waits for SQLite's lock asks so
RETRY = 1  # second before a revision that met a busy table is tried again
LOCK_NOT_AVAILABLE = "55P03"
Plan = Callable[..., Iterable[Any]]  # Alembic's: the steps from the heads to the wanted revision
log = logging.getLogger("flagstone.migrate")
migrate = current_app.extensions["migrate"]


def include_object(_object: object, name: str | None, *_: object) -> bool:
    """Leave out what the comparison with the models cannot see or tell apart."""
    names = POSTGRES_ONLY | SQLITE_ONLY | UNCOMPARED
    return name is None or not (name in names or name.startswith(SEARCH_TABLES))


def shape(migration: object, _revision: object, directives: list) -> None:
    """Complete a revision, drop one that would do nothing, and give any other its id."""
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
        # Each revision commits, and so lets other writers get ahead. Alembic believes that SQLite
        # cannot undo DDL, which it can.
        "transactional_ddl": True,
        "transaction_per_migration": True,
        **migrate.configure_args,
    }


def guard(connection: Connection) -> None:
    (guard_postgres if connection.dialect.name == "postgresql" else guard_sqlite)(connection)


def guard_postgres(connection: Connection) -> None:
    """One process at a time."""
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
    """True if this process has the lock. A statement that waited for it would hold a snapshot, and
    CREATE INDEX CONCURRENTLY of the process that has the lock would wait for that in turn.
    """
    asked = connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": LOCK}).scalar()
    connection.commit()
    return bool(asked)


def guard_sqlite(connection: Connection) -> None:
    """A batch migration drops and recreates tables: cascades must not fire meanwhile. And wait for
    another process that is migrating as long as on PostgreSQL.
    """
    cursor = connection.connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {WAIT * 1000}")  # milliseconds
    cursor.execute("PRAGMA foreign_keys=OFF")  # ignored within a transaction, so past SQLAlchemy
    cursor.close()


def is_ahead() -> bool:
    """True if `flask db upgrade` has nothing to do: a newer release has migrated the database.

    Its migrations suit the older code too (docs/operations.md), so that going back needs none.
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
    """True after `flask db upgrade`, if the database is not a newer release's."""
    migrating = context.get_context()
    goes_to_head = migrating.opts.get("destination_rev") in ("head", "heads")
    return goes_to_head and readiness.revision() == readiness.head()


@contextmanager
def one_line_errors() -> Iterator[None]:
    """An unreachable or busy database is one line and exit status 1, not a traceback."""
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
                connection.detach()  # its settings are not the pool's, and its lock ends with it


class InTurn:
    """The steps of Alembic's `plan`, as long as no other process takes one of them.

    PostgreSQL's advisory lock keeps other processes away until the end. SQLite's lock ends with
    each revision, so each one looks, under a lock of its own, for the revision that it follows.
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
        """A revision is done, and `heads` are stored."""
        self.heads = heads


def try_to_run(connection: Connection, plan: Plan, *, last: bool) -> bool:
    """False if a table was busy: the revision is undone, and whoever waited behind it gets ahead.

    The revisions before it stay. If it is the `last` try, the error is raised.
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
    # A migration has no deadline: it takes as long as it takes.
    with one_line_errors(), watchdog.statement_timeout(None), warnings.catch_warnings():
        # Of SQLite's indexes over expressions, which autogenerate and rebuild look after.
        warnings.filterwarnings("ignore", message=".*expression-based index")
        run_online()
        if is_at_head():
            task_search.catch_up()
