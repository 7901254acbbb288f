"""An expression that removes members of a JSON object, on PostgreSQL and SQLite."""

from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class Without(FunctionElement[Any]):
    """`column` without the members `names`: "title", or "data.title" within another.

    The names come from the code, never from input.
    """

    inherit_cache = False  # the names are part of the statement

    def __init__(self, column: ColumnElement[Any], names: tuple[str, ...]) -> None:
        assert all(part.isidentifier() for name in names for part in name.split(".")), names
        super().__init__(column)
        self.type = column.type
        self.names = names


@compiles(Without, "postgresql")
def _postgresql(element: Without, compiler: SQLCompiler, **options: Any) -> str:
    paths = "".join(f" #- '{{{name.replace('.', ',')}}}'" for name in element.names)
    return f"({compiler.process(element.clauses, **options)}{paths})"


@compiles(Without, "sqlite")
def _sqlite(element: Without, compiler: SQLCompiler, **options: Any) -> str:
    paths = "".join(f", '$.{name}'" for name in element.names)
    return f"json_remove({compiler.process(element.clauses, **options)}{paths})"
