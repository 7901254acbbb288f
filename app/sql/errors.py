"""What a driver says, in the words of the domain."""

import sqlite3
from datetime import UTC, datetime, timedelta

import psycopg2

from app import clock
from app.errors import Invalid, InvalidToken, Unavailable

DRIVER_ERRORS = (psycopg2.Error, sqlite3.Error)
# What passes by itself: connection, read-only (a failover), serialization, deadlock, resources,
# lock and statement timeouts, shutdown. By SQLSTATE, for psycopg2's classes mix them with others.
PASSING = ("08", "25006", "40001", "40P01", "53", "55P03", "57014", "57P0", "58")
AWAY = ("08", "57P0")
LOST_RACE = ("40001", "40P01")
OVERTAKEN = "followed_until"  # a follower was shown a later moment, see app.services.following
UNDEFINED = ("3F000", "42P01", "42703")  # a schema, a table, a column
UNDEFINED_IN_SQLITE = ("no such table", "no such column", "has no column named")


class Duplicate(Exception):
    """A unique index refused the row. `index` is its name, or "table.column" on SQLite."""

    def __init__(self, index: str) -> None:
        super().__init__(index)
        self.index = index


class Dangling(InvalidToken):
    """A foreign key points at a row that is not there (any more).

    What a client names is held before it is referred to, so that this is the account of whoever
    acts: it was closed while the request ran.
    """

    def __init__(self) -> None:
        super().__init__("Your account was closed in the meantime.")


class LostRace(Unavailable):
    """Two transactions got in each other's way and the database gave up this one."""


def translated(error: Exception) -> Exception:
    """What the driver says, in the words of the domain."""
    state, name = (
        _postgres_state(error) if isinstance(error, psycopg2.Error) else _sqlite_state(error)
    )
    if state == "23505":
        return Duplicate(name)
    if state == "23503":
        return Dangling()
    if state.startswith(LOST_RACE):
        return LostRace("The database is busy. Try again in a moment.")
    if state.startswith(AWAY):
        return Unavailable("The database cannot be reached.")
    if state.startswith(PASSING):
        return Unavailable("The database is busy. Try again in a moment.")
    if state.startswith("22"):  # a value that no column takes and no schema refused
        return Invalid("A value is out of range.")
    return error


def lacks_schema(error: Exception) -> bool:
    """True if the statement names a table or a column that the database does not have."""
    if isinstance(error, sqlite3.Error):
        return any(words in str(error) for words in UNDEFINED_IN_SQLITE)
    return isinstance(error, psycopg2.Error) and error.pgcode in UNDEFINED


def first_line(error: BaseException | None) -> str:
    """The driver's own words, without the lines of hints and context that follow them."""
    return str(error or "").strip().partition("\n")[0]


def _postgres_state(error: psycopg2.Error) -> tuple[str, str]:
    name = error.diag.constraint_name or ""
    if name == OVERTAKEN:  # the detail is the moment, in microseconds since 1970
        passed = timedelta(microseconds=int(error.diag.message_detail or 0))
        clock.continue_after(datetime.fromtimestamp(0, UTC) + passed)
    return error.pgcode or ("08" if isinstance(error, psycopg2.OperationalError) else ""), name


def _sqlite_state(error: Exception) -> tuple[str, str]:
    message = str(error)
    if message.startswith("UNIQUE constraint failed: "):
        name = message.removeprefix("UNIQUE constraint failed: ")
        return "23505", name.removeprefix("index ").strip("'")
    if message.startswith("FOREIGN KEY"):
        return "23503", ""
    if isinstance(error, sqlite3.OperationalError) and (
        "locked" in message or "unable to open" in message or "disk" in message
    ):
        return "08", ""
    return "", ""
