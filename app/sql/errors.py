"""The translation of database drivers' errors into errors of the domain."""

import sqlite3
from datetime import UTC, datetime, timedelta

import psycopg2

from app.errors import Conflict, Invalid, Unavailable
from app.faults import Code, Fault
from app.models import clock

DRIVER_ERRORS = (psycopg2.Error, sqlite3.Error)
# Temporary failures: connection, read-only (a failover), serialization, deadlock, resources, lock
# and statement timeouts, shutdown. By SQLSTATE, because psycopg2's classes mix them with others.
PASSING = ("08", "25006", "40001", "40P01", "53", "55P03", "57014", "57P0", "58")
AWAY = ("08", "57P0")
LOST_RACE = ("40001", "40P01")
DIVISION_BY_ZERO = "22012"  # by app.sql.conditional alone
OVERTAKEN = (
    "followed_until"  # a follower was shown a later moment, see app.services.shared.following
)
UNDEFINED = ("3F000", "42P01", "42703")  # a schema, a table, a column
UNDEFINED_IN_SQLITE = ("no such table", "no such column", "has no column named")


class UniqueViolation(Exception):
    """A unique index refused the row. `index` is its name, or "table.column" on SQLite."""

    def __init__(self, index: str) -> None:
        super().__init__(index)
        self.index = index


class MissingReference(Invalid):
    """A foreign key refers to a row that does not exist: an invalid value of the field.

    `constraint` is the name of the key, `referred` the table that the key refers to.
    """

    def __init__(self, constraint: str, column: str, referred: str) -> None:
        fault = Fault(Code.NOT_FOUND, "This does not exist (any more).")
        super().__init__("A value refers to something that does not exist.", {column: fault})
        self.constraint = constraint
        self.referred = referred


class StillReferenced(Conflict):
    """Other rows refer to the row that the statement would delete.

    `constraint` is the name of the foreign key, on SQLite only the table of the statement.
    """

    def __init__(self, constraint: str) -> None:
        super().__init__("Something else still refers to this.")
        self.constraint = constraint


class LostRace(Unavailable):
    """The database cancelled this transaction because of a conflict with another one."""


class Outdated(Exception):
    """A change of a row that was read without a lock: the row has changed or gone meanwhile."""


def translated(error: Exception) -> Exception:
    """Return the domain's error for the driver's, or `error` itself."""
    state, name = (
        _postgres_state(error) if isinstance(error, psycopg2.Error) else _sqlite_state(error)
    )
    if state == "23505":
        return UniqueViolation(name)
    if state.startswith(LOST_RACE):
        return LostRace("The database is busy. Try again in a moment.")
    if state.startswith(AWAY):
        return Unavailable("The database cannot be reached.")
    if state.startswith(PASSING):
        return Unavailable("The database is busy. Try again in a moment.")
    if state == DIVISION_BY_ZERO:
        return Outdated("No row has the version that was read.")
    if state.startswith("22"):  # a value that the schema accepts and the column does not
        return Invalid("A value is out of range.")
    return error


def lacks_schema(error: Exception) -> bool:
    """Return True if the statement names a table or a column that the database does not have."""
    if isinstance(error, sqlite3.Error):
        return any(words in str(error) for words in UNDEFINED_IN_SQLITE)
    return isinstance(error, psycopg2.Error) and error.pgcode in UNDEFINED


def first_line(error: BaseException | None) -> str:
    """Return the driver's message without the following lines of hints and context."""
    return str(error or "").strip().partition("\n")[0]


def _postgres_state(error: psycopg2.Error) -> tuple[str, str]:
    name = error.diag.constraint_name or ""
    if name == OVERTAKEN:  # the detail is the time in microseconds since 1970
        passed = timedelta(microseconds=int(error.diag.message_detail or 0))
        clock.continue_after(datetime.fromtimestamp(0, UTC) + passed)
    return error.pgcode or ("08" if isinstance(error, psycopg2.OperationalError) else ""), name


def _sqlite_state(error: Exception) -> tuple[str, str]:
    message = str(error)
    if message.startswith("UNIQUE constraint failed: "):
        name = message.removeprefix("UNIQUE constraint failed: ")
        return "23505", name.removeprefix("index ").strip("'")
    if isinstance(error, sqlite3.OperationalError) and (
        "locked" in message or "unable to open" in message or "disk" in message
    ):
        return "08", ""
    return "", ""
