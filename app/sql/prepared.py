"""Statements that PostgreSQL parses and plans once for each connection, not at each call.

Prepared statements save the server half of its work and more (docs/performance.md). Only a
statement whose plan cannot depend on its values is prepared: one that finds a row by a unique key,
stores a row, or reads an index in order.

After the first refusal all statements are sent in full: behind a pooler that changes the server's
connection between two transactions, or after a change of a column's type.
"""

import hashlib
import logging
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import psycopg2

# Not prepared on this connection, already prepared, or prepared for another type of a column: in
# the result, in a stored value, in a comparison.
REFUSALS = ("26000", "42P05", "0A000", "42804", "42883")
_NAME = re.compile(r"%\((\w+)\)s")
_log = logging.getLogger("service.sql")


class Prepared(NamedTuple):
    """The SQL of a prepared statement: `definition` takes `constants`, `call` the parameters."""

    name: str
    definition: str
    constants: Mapping[str, Any]
    call: str


class PreparedStatements:
    """The switch of this process: `enabled` until the first refusal."""

    enabled = True


def prepare(sql: str, constants: Mapping[str, Any]) -> Prepared:
    """Return `sql`, with psycopg2's named parameters, as a prepared statement.

    The parameters in `constants` always have the same values.
    """
    places: dict[str, str] = {}

    def place(match: re.Match[str]) -> str:
        name = match[1]
        return match[0] if name in constants else places.setdefault(name, f"${len(places) + 1}")

    text = _NAME.sub(place, sql)
    if not constants:  # without parameters psycopg2 does not unescape "%%"
        text = text.replace("%%", "%")
    # A hash of the content: behind a pooler another process may have prepared the statement.
    name = "prepared_" + hashlib.sha256(f"{text} {constants}".encode()).hexdigest()[:32]
    definition = f"PREPARE {name} AS {text}"
    arguments = ", ".join(f"%({each})s" for each in places)
    call = f"EXECUTE {name} ({arguments})" if places else f"EXECUTE {name}"
    return Prepared(name, definition, constants, call)


def is_refusal(error: Exception) -> bool:
    """Return True if PostgreSQL refused a prepared statement as missing or outdated."""
    return isinstance(error, psycopg2.Error) and error.pgcode in REFUSALS


def disable(refusal: Any) -> None:
    """Send every statement in full from now on, in this process."""
    if PreparedStatements.enabled:
        # Not the whole error: the error quotes the statement with its values.
        said = refusal.diag.message_primary
        _log.warning("From now on statements are sent whole, for the database said: %s", said)
    PreparedStatements.enabled = False
