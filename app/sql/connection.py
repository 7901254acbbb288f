"""The connection of a request.

Every statement of a request runs on one connection, in autocommit: one round trip each.

Within a transaction (app.sql.transaction) PostgreSQL gets statements without an awaited answer
together with others: BEGIN with the first statement, a deferred one (`Statement.defer`) with the
next one or with COMMIT. So creating a task takes one round trip (docs/performance.md).
"""

from typing import Any, NamedTuple, cast

from sqlalchemy import exc
from sqlalchemy.pool import PoolProxiedConnection

from app.errors import Unavailable
from app.extensions import db
from app.models import clock
from app.sql import foreign_keys, prepared as preparation
from app.sql.errors import DRIVER_ERRORS, LostRace, translated
from app.sql.prepared import Prepared

COMMIT = "COMMIT"
# The lock that stamping a row now would take, and the clock of all stamps: see
# migrations/versions/20261130080541_following.py.
HOLD_FOLLOWERS = """
SELECT pg_advisory_xact_lock_shared(
  1718772076, floor(date_part('epoch', clock_timestamp()))::int - 1767225600
), clock_timestamp()
"""
TOGETHER_MAX = 100  # deferred statements that are sent together


class Command(NamedTuple):
    """A statement with its parameters, for the driver."""

    sql: str
    params: Any = ()
    prepared: Prepared | None = None


OPENING = Command("BEGIN")


class RequestConnection:
    """The connection of an app context, taken from the pool at the first statement."""

    def __init__(self) -> None:
        self.engine = db.engine
        self.dialect = self.engine.dialect
        self.pooled: PoolProxiedConnection | None = None
        self.in_transaction = False
        self.pending: list[Command] = []  # to be sent before the next statement
        self.by_name = False  # True if the last command calls a prepared statement

    def execute(self, sql: str, params: Any = (), prepared: Prepared | None = None) -> Any:
        """Run `sql` and return the cursor. Raises UniqueViolation, MissingReference,
        StillReferenced, Unavailable, Invalid."""
        command = Command(sql, params, prepared)
        pending, self.pending = self.pending, []
        try:
            return self._execute(pending, command)
        except DRIVER_ERRORS as error:
            if not self._may_repeat(error, (*pending, command)):
                raise self._translated(error, command) from error
        try:
            return self._execute(pending, command)
        except DRIVER_ERRORS as error:
            self._lost(error)
            raise self._translated(error, command) from error

    def _translated(self, error: Exception, command: Command) -> Exception:
        if self._was_refused(error):
            return LostRace("The database is busy. Try again in a moment.")
        violated = foreign_keys.explained(error, self.pooled, command.sql, command.params)
        return violated or translated(error)

    def _was_refused(self, error: Exception) -> bool:
        """Return True if PostgreSQL refused a prepared statement, and disable all of them."""
        if not self.by_name or not preparation.is_refusal(error):
            return False
        preparation.disable(error)
        return True

    def _may_repeat(self, error: Exception, sent: tuple[Command, ...]) -> bool:
        """Return True if no statement can have been stored and a retry may succeed."""
        if self._was_refused(error):
            return not self.in_transaction  # a failed transaction is repeated as a whole
        # A pooled connection may be broken since a restart of the database: try a fresh one.
        begun = self.in_transaction and sent[0] != OPENING
        last = sent[-1].sql
        may_store = last == COMMIT if self.in_transaction else not last.startswith("SELECT")
        return not begun and self._lost(error) and not may_store

    def defer(self, sql: str, params: Any, prepared: Prepared | None = None) -> None:
        """Run `sql` without a result, before the next statement of the transaction.

        That statement, or at the latest the commit, raises the errors of `sql`.
        """
        if not self.in_transaction or self.dialect.name != "postgresql":
            self.execute(sql, params, prepared).close()
            return
        self.pending.append(Command(sql, params, prepared))
        if len(self.pending) > TOGETHER_MAX:
            self.execute(*self.pending.pop()).close()

    def _execute(self, pending: list[Command], command: Command) -> Any:
        if self.pooled is None:
            self.pooled = self._connect()
        cursor = self.pooled.cursor()
        self.by_name = False
        if pending:
            commands = (*pending, command)
            spelled = [cursor.mogrify(self._spell(cursor, each), each.params) for each in commands]
            cursor.execute(b";".join(spelled))
        else:
            cursor.execute(self._spell(cursor, command), command.params)
        return cursor

    def _spell(self, cursor: Any, command: Command) -> str:
        """Return the command's SQL; for a prepared statement the call, prepared on first use."""
        if command.prepared is None or not preparation.PreparedStatements.enabled:
            return command.sql
        self.by_name = True
        known: set[str] = cursor.connection.prepared
        if command.prepared.name not in known:
            cursor.execute(command.prepared.definition, command.prepared.constants or None)
            known.add(command.prepared.name)
        return command.prepared.call

    def _connect(self) -> PoolProxiedConnection:
        try:
            pooled = self.engine.raw_connection()
        except exc.SQLAlchemyError as error:  # the pool has no free connection
            raise Unavailable("The database cannot be reached.") from error
        if self.dialect.name == "postgresql":
            pooled.dbapi_connection.autocommit = True  # type: ignore[union-attr]
        return pooled

    def _lost(self, error: Exception) -> bool:
        """Return True if the connection is broken, and drop it and all idle ones of the pool."""
        if self.pooled is None:
            return False
        if not self.dialect.is_disconnect(cast(Any, error), self.pooled.dbapi_connection, None):
            return False
        self.pooled.invalidate()
        self.pooled = None
        self.engine.dispose()
        return True

    def release(self) -> None:
        if self.pooled is not None:
            if self.in_transaction:
                self.rollback()
            if self.pooled is not None:
                if self.dialect.name == "postgresql":
                    self.pooled.dbapi_connection.autocommit = False  # type: ignore[union-attr]
                self.pooled.close()
                self.pooled = None

    def begin(self) -> None:
        if self.dialect.name == "sqlite":
            self.execute("BEGIN IMMEDIATE").close()
        else:
            self.pending = [OPENING]
        self.in_transaction = True

    def hold_followers(self) -> None:
        """Keep following clients (app.services.shared.following) before this transaction."""
        if self.dialect.name == "postgresql":
            cursor = self.execute(HOLD_FOLLOWERS)
            clock.continue_after(cursor.fetchone()[1])
            cursor.close()

    def commit(self) -> None:
        if self.pending != [OPENING]:  # else no statement was sent
            cursor = self.execute(COMMIT)
            # After an ignored failure PostgreSQL answers ROLLBACK, without an error.
            if getattr(cursor, "statusmessage", COMMIT) != COMMIT:
                raise RuntimeError("The transaction had failed: nothing of it was stored.")
            cursor.close()
        self.pending = []
        self.in_transaction = False

    def rollback(self) -> None:
        began = self.pending[:1] != [OPENING]
        self.pending, self.in_transaction = [], False
        if began and self.pooled is not None:
            try:
                self._execute([], Command("ROLLBACK")).close()
            except DRIVER_ERRORS:
                self.pooled.invalidate()
                self.pooled = None
