"""The rendering of new revisions by `flask db migrate` and `flask db revision`.

A revision depends on no code of the app: a type of the app is written as the type of its column,
so that later changes of the code do not change the revision.
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
    """Return the time in UTC as digits, later than every existing revision.

    Diverging branches never choose the same id, and a replica can compare digits by age
    (app/services/operations/readiness.py).
    """
    names = (one.revision for one in script.walk_revisions())
    latest = max((int(name) for name in names if name.isdigit()), default=0)
    return str(max(int(datetime.now(UTC).strftime("%Y%m%d%H%M%S")), latest + 1))


def render_item(kind: str, item: Any, context: AutogenContext) -> str | Literal[False]:
    """Return the source code of a column's type, or False for Alembic's own rendering.

    Alembic renders the app's types without their import, and nested types without their package.
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
    """Return the source of the nearest base type with a public name, with its arguments."""
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
    """Compare, by name, indexes over expressions, which Alembic ignores on SQLite."""
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
        if table in metadata.tables:  # dropping a table drops its indexes
            script.upgrade_ops.ops.insert(0, ops.DropIndexOp(name, table))
            script.downgrade_ops.ops.append(ops.ExecuteSQLOp(sql))


def _is_over_an_expression(index: sa.Index) -> bool:
    parts = [
        part.element if isinstance(part, sa.UnaryExpression) else part for part in index.expressions
    ]
    return not all(isinstance(part, sa.Column) for part in parts)


def _over_expressions(connection: sa.Connection, names: dict[str, Any]) -> set[str]:
    """Return the indexes with a part that is no column: SQLite gives such a part no name."""
    return {
        name
        for name in names
        if any(row[2] is None for row in connection.exec_driver_sql(f'PRAGMA index_info("{name}")'))
    }


@write_hooks.register("house")
def format_file(path: str, _options: object) -> None:
    """Format a new file by ruff, if ruff is installed."""
    if find_spec("ruff") is None:
        return
    for command in (["check", "--fix", "--exit-zero"], ["format"]):
        arguments = [sys.executable, "-m", "ruff", *command, "--quiet", path]
        subprocess.run(arguments, check=True)  # noqa: S603 - no argument is user input
