"""New revisions, as `flask db migrate` and `flask db revision` write them.

A revision depends on no code of the app: a type of the app is written out as the columns that it
makes, so that the revision means the same when the code has changed.
"""

import re
import subprocess
import sys
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import Any, Literal

import sqlalchemy as sa
from alembic.autogenerate.api import AutogenContext
from alembic.operations import ops
from alembic.script import ScriptDirectory, write_hooks
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.types import TypeDecorator, TypeEngine

_NESTED = re.compile(r"(?<=[(=\s])([A-Z]\w*)(?=\()")  # a type among the arguments of another
_INDEXES = "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"


def next_id(script: ScriptDirectory) -> str:
    """The moment in UTC as digits, behind every revision that there is.

    Branches that grow apart never choose the same id, and of digits a replica can tell which one
    is later (app/services/operations/readiness.py).
    """
    names = (one.revision for one in script.walk_revisions())
    latest = max((int(name) for name in names if name.isdigit()), default=0)
    return str(max(int(datetime.now(UTC).strftime("%Y%m%d%H%M%S")), latest + 1))


def render_item(kind: str, item: Any, context: AutogenContext) -> str | Literal[False]:
    """The source code of a column's type, or False where Alembic's own rendering will do.

    Alembic names the app's types without their import, and types among the arguments of another
    without their package.
    """
    if kind != "type":
        return False
    if type(item).__module__.startswith("sqlalchemy."):
        nested = (name for name in _NESTED.findall(repr(item)) if hasattr(sa, name))
        context.imports.update(f"from sqlalchemy import {name}" for name in nested)
        return False
    if not isinstance(item, TypeDecorator):
        return _source(item)
    lite, found = (
        _source(item.load_dialect_impl(dialect))
        for dialect in (sqlite.dialect(), postgresql.dialect())
    )
    if "postgresql." in found:
        context.imports.add("from sqlalchemy.dialects import postgresql")
    return lite if lite == found else f'{lite}.with_variant({found}, "postgresql")'


def _source(kind: TypeEngine[Any]) -> str:
    """The nearest type with a public name that this one is made of, with its arguments."""
    arguments = repr(kind).partition("(")[2]
    for base in type(kind).__mro__:
        for package, name in ((sa, "sa"), (postgresql, "postgresql")):
            if getattr(package, base.__name__, None) is base:
                return f"{name}.{base.__name__}({_NESTED.sub(_prefixed, f'({arguments}')[1:]}"
    raise TypeError(f"{kind!r} has no public name.")


def _prefixed(match: re.Match[str]) -> str:
    return f"{'sa' if hasattr(sa, match[1]) else 'postgresql'}.{match[1]}"


def compare_expression_indexes(
    connection: sa.Connection, metadata: sa.MetaData, script: ops.MigrationScript
) -> None:
    """Compare, by name, what Alembic passes over on SQLite: indexes over expressions."""
    if connection.dialect.name != "sqlite":
        return
    wanted = {index.name: index for table in metadata.sorted_tables for index in table.indexes}
    found = {name: (table, sql) for name, table, sql in connection.exec_driver_sql(_INDEXES)}
    for index in wanted.values():
        if _is_over_an_expression(index) and index.name not in found:
            script.upgrade_ops.ops.append(ops.CreateIndexOp.from_index(index))
            script.downgrade_ops.ops.insert(0, ops.DropIndexOp.from_index(index))
    for name in _over_expressions(connection, found) - wanted.keys():
        table, sql = found[name]
        if table in metadata.tables:  # with a table that goes its indexes go
            script.upgrade_ops.ops.insert(0, ops.DropIndexOp(name, table))
            script.downgrade_ops.ops.append(ops.ExecuteSQLOp(sql))


def _is_over_an_expression(index: sa.Index) -> bool:
    parts = [
        part.element if isinstance(part, sa.UnaryExpression) else part for part in index.expressions
    ]
    return not all(isinstance(part, sa.Column) for part in parts)


def _over_expressions(connection: sa.Connection, names: dict[str, Any]) -> set[str]:
    """Those with a part that is no column: SQLite gives such a part no name."""
    return {
        name
        for name in names
        if any(row[2] is None for row in connection.exec_driver_sql(f'PRAGMA index_info("{name}")'))
    }


@write_hooks.register("house")
def format_file(path: str, _options: object) -> None:
    """Format a new file as the project is formatted; without ruff it stays as Alembic wrote it."""
    if find_spec("ruff") is None:
        return
    for command in (["check", "--fix", "--exit-zero"], ["format"]):
        arguments = [sys.executable, "-m", "ruff", *command, "--quiet", path]
        subprocess.run(arguments, check=True)  # noqa: S603 - nothing of it comes from outside
