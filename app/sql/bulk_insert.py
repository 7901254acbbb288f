"""An INSERT of many rows in one statement."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table
from sqlalchemy.engine.interfaces import Dialect

from app.sql.statement import Processor
from app.sql.transaction import request_connection


@dataclass(slots=True, frozen=True)
class Form:
    """The SQL of one dialect: `head`, then a `group` of placeholders for each row."""

    head: str
    group: str
    columns: tuple[tuple[str, Processor | None], ...]

    def values(self, row: Mapping[str, Any]) -> list[Any]:
        return [
            process(row[name]) if process is not None else row[name]
            for name, process in self.columns
        ]


class Batch:
    """An INSERT into `table` of rows with a value for every column. All must fit into memory."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._forms: dict[str, Form] = {}

    def insert(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert all rows or none. Raises UniqueViolation, MissingReference."""
        if not rows:
            return
        connection = request_connection()
        form = self._forms.get(connection.dialect.name) or self._form(connection.dialect)
        values = [value for row in rows for value in form.values(row)]
        connection.execute(form.head + ",".join([form.group] * len(rows)), tuple(values)).close()

    def _form(self, dialect: Dialect) -> Form:
        spell = dialect.identifier_preparer
        columns = list(self.table.c)
        names = ", ".join(spell.format_column(column) for column in columns)
        mark = "?" if dialect.name == "sqlite" else "%s"
        form = self._forms[dialect.name] = Form(
            head=f"INSERT INTO {spell.format_table(self.table)} ({names}) VALUES ",  # noqa: S608
            group=f"({','.join([mark] * len(columns))})",
            columns=tuple(
                (column.key, column.type.dialect_impl(dialect).bind_processor(dialect))
                for column in columns
            ),
        )
        return form
