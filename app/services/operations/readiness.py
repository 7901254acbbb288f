"""The readiness check: the database answers and has the migrations of this code."""

import ast
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import column, select, table

from app.errors import Unavailable
from app.sql import DRIVER_ERRORS, Statement, watchdog
from app.sql.errors import lacks_schema

PATIENCE = 2.0  # seconds: readiness probes are repeated soon
REVISIONS = Path(__file__).parents[3] / "migrations" / "versions"
_versions = table("alembic_version", column("version_num"))
_applied = Statement[Any](select(_versions.c.version_num))


def check() -> None:
    """Raise Unavailable, with the reason, if the migrations of this code are not applied."""
    applied, wanted = revision(), head()
    if applied == wanted:
        return
    # A later revision is no fault: migrations run before old code is replaced, and both releases
    # work with the new tables (docs/operations.md).
    if not is_later(applied, wanted):
        where = f"The database is at revision {applied or 'none'}, not at {wanted}"
        raise Unavailable(f"{where}: run flask db upgrade.")


def is_later(revision: str, other: str) -> bool:
    """Return True if `revision` is newer than `other`. Only ids of digits can be compared."""
    return revision.isdigit() and other.isdigit() and int(revision) > int(other)


def explained(error: Exception) -> Exception:
    """Return Unavailable, with the remedy, if tables are missing for want of migrations.

    Return `error` itself otherwise: a table that is missing after the last migration is a bug.
    """
    if lacks_schema(error):
        try:
            check()
        except Unavailable as unmigrated:
            return unmigrated
    return error


def revision() -> str:
    """Return the last migration applied to the database, "" for none."""
    try:
        with watchdog.statement_timeout(PATIENCE):
            applied: str | None = _applied.scalar()
    except DRIVER_ERRORS:  # the table does not exist
        return ""
    return applied or ""


@cache
def head() -> str:
    """Return the last revision in migrations/, parsed from the files: importing Alembic is slow."""
    found = [_assigned(path) for path in REVISIONS.glob("*.py")]
    parents = {parent for one in found for parent in _names(one.get("down_revision"))}
    heads = {one["revision"] for one in found if "revision" in one} - parents
    if len(heads) != 1:
        raise Unavailable(f"There are {len(heads)} migration heads: run flask db merge heads.")
    (last,) = heads
    return str(last)


def _assigned(path: Path) -> dict[str, Any]:
    """Return the `revision` and `down_revision` of a file, in any quoting and annotation."""
    found = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value:
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if isinstance(target, ast.Name) and target.id in ("revision", "down_revision"):
                found[target.id] = ast.literal_eval(node.value)
    return found


def _names(parents: str | tuple[str, ...] | None) -> tuple[str, ...]:
    """Return the parents of a revision: a merge has several."""
    return (parents,) if isinstance(parents, str) else parents or ()
