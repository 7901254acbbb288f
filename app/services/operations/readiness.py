"""Whether this process can do its work: the database answers and has the tables of this code."""

import ast
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import column, select, table

from app.errors import Unavailable
from app.sql import DRIVER_ERRORS, Statement, watchdog
from app.sql.errors import lacks_schema

PATIENCE = 2.0  # seconds: whoever asks whether we are ready asks again soon
REVISIONS = Path(__file__).parents[3] / "migrations" / "versions"
_versions = table("alembic_version", column("version_num"))
_applied = Statement[tuple[str]](select(_versions.c.version_num))


def check() -> None:
    """Raises Unavailable, with the reason."""
    applied, wanted = revision(), head()
    if applied == wanted:
        return
    # A later one is no fault: the migration runs ahead while old code is still being replaced, and
    # what it changes suits both (docs/operations.md).
    if not is_later(applied, wanted):
        where = f"The database is at revision {applied or 'none'}, not at {wanted}"
        raise Unavailable(f"{where}: run flask db upgrade.")


def is_later(revision: str, other: str) -> bool:
    """True if `revision` was made after `other`. Only ids of digits alone tell."""
    return revision.isdigit() and other.isdigit() and int(revision) > int(other)


def explained(error: Exception) -> Exception:
    """`error`, or Unavailable with the mend if tables are missing because migrations have not run.

    A table that is missing at the last migration is a fault of the code, and stays one.
    """
    if lacks_schema(error):
        try:
            check()
        except Unavailable as unmigrated:
            return unmigrated
    return error


def revision() -> str:
    """The last migration that the database has seen, "" for none."""
    try:
        with watchdog.statement_timeout(PATIENCE):
            row = _applied.one()
    except DRIVER_ERRORS:  # there is no such table
        return ""
    return str(row[0]) if row else ""


@cache
def head() -> str:
    """The last revision in migrations/. Read as text: to import alembic would slow every start."""
    found = [_assigned(path) for path in REVISIONS.glob("*.py")]
    parents = {parent for one in found for parent in _names(one.get("down_revision"))}
    heads = {one["revision"] for one in found if "revision" in one} - parents
    if len(heads) != 1:
        raise Unavailable(f"There are {len(heads)} last migrations: run flask db merge heads.")
    (last,) = heads
    return str(last)


def _assigned(path: Path) -> dict[str, Any]:
    """The `revision` and `down_revision` of a file, however they are quoted and annotated."""
    found = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value:
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if isinstance(target, ast.Name) and target.id in ("revision", "down_revision"):
                found[target.id] = ast.literal_eval(node.value)
    return found


def _names(parents: str | tuple[str, ...] | None) -> tuple[str, ...]:
    """Those that a revision follows: a merge follows several."""
    return (parents,) if isinstance(parents, str) else parents or ()
