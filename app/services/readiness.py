"""Whether this process can do its work: the database answers and has the tables of this code."""

import re
from functools import cache
from pathlib import Path

from sqlalchemy import column, select, table

from app import deadline
from app.errors import Unavailable
from app.sql import DRIVER_ERRORS, Statement

PATIENCE = 2.0  # seconds: whoever asks whether we are ready asks again soon
REVISIONS = Path(__file__).parents[2] / "migrations" / "versions"
_NAMES = re.compile(r'^(revision|down_revision)\b.*= "(\w+)"', re.MULTILINE)
_versions = table("alembic_version", column("version_num"))
_applied = Statement[tuple[str]](select(_versions.c.version_num))


def check() -> None:
    """Raises Unavailable, with the reason."""
    applied, wanted = revision(), head()
    if applied == wanted:
        return
    # A later one is no fault: the migration runs ahead while old code is still being replaced, and
    # what it changes suits both (docs/operations.md).
    if not (applied.isdigit() and wanted.isdigit() and applied > wanted):
        raise Unavailable(f"The database is at revision {applied or 'none'}, not at {wanted}.")


def revision() -> str:
    """The last migration that the database has seen, "" for none."""
    try:
        with deadline.within(PATIENCE):
            row = _applied.one()
    except DRIVER_ERRORS:  # there is no such table
        return ""
    return str(row[0]) if row else ""


@cache
def head() -> str:
    """The last revision in migrations/. Read as text: to import alembic would slow every start."""
    sources = (path.read_text(encoding="utf-8") for path in REVISIONS.glob("*.py"))
    names: list[tuple[str, str]] = [found for source in sources for found in _NAMES.findall(source)]
    parents = {name for kind, name in names if kind == "down_revision"}
    (last,) = {name for kind, name in names if kind == "revision"} - parents
    return last
