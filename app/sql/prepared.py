"""Statements that PostgreSQL parses and plans once for each connection, not at each call.

It saves the server half of its work and more (docs/performance.md). They are those whose plan
cannot depend on their values: what finds its row by a unique key, or stores one, or reads an index
in its order.

Where that does not work all are sent whole again, from the first refusal on: behind a pooler that
changes the server's connection between two transactions, or after a column has changed its type.
"""

import hashlib
import logging
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import psycopg2

# Unknown to this connection, known to it already, planned for another type of column: of a result,
# of what is stored, of what is compared.
REFUSALS = ("26000", "42P05", "0A000", "42804", "42883")
_NAME = re.compile(r"%\((\w+)\)s")
_log = logging.getLogger("flagstone.sql")


class Prepared(NamedTuple):
    """`definition` takes `constants`, `call` the parameters."""

    name: str
    definition: str
    constants: Mapping[str, Any]
    call: str


class PreparedStatements:
    """Whether this process prepares statements (still)."""

    enabled = True


def prepare(sql: str, constants: Mapping[str, Any]) -> Prepared:
    """`sql` is as psycopg2 takes it, with names; those in `constants` have one value for ever."""
    places: dict[str, str] = {}

    def place(found: re.Match[str]) -> str:
        name = found[1]
        return found[0] if name in constants else places.setdefault(name, f"${len(places) + 1}")

    text = _NAME.sub(place, sql)
    if not constants:  # then psycopg2 leaves "%%" as it is
        text = text.replace("%%", "%")
    # By its content: behind a pooler another process may have prepared it.
    name = "flagstone_" + hashlib.sha256(f"{text} {constants}".encode()).hexdigest()[:32]
    definition = f"PREPARE {name} AS {text}"
    arguments = ", ".join(f"%({each})s" for each in places)
    call = f"EXECUTE {name} ({arguments})" if places else f"EXECUTE {name}"
    return Prepared(name, definition, constants, call)


def is_refusal(error: Exception) -> bool:
    """Whether what was prepared is not there, or no longer fits."""
    return isinstance(error, psycopg2.Error) and error.pgcode in REFUSALS


def disable(refusal: Any) -> None:
    """Send every statement whole from now on, in this process."""
    if PreparedStatements.enabled:
        # Not the whole error: it quotes what was sent, with its values.
        said = refusal.diag.message_primary
        _log.warning("From now on statements are sent whole, for the database said: %s", said)
    PreparedStatements.enabled = False
