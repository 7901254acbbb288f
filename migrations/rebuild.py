"""Rebuilding a table on SQLite, which knows few kinds of ALTER TABLE.

Alembic copies the rows into a new table and drops the old one (`op.batch_alter_table`). It makes
anew what it can read: columns, named constraints, plain indexes. Triggers and indexes over
expressions went with the old table; here they are made anew as well. One that names a column which
the new table lacks stops the migration: drop it first.
"""

from typing import Any

import sqlalchemy as sa
from alembic.ddl.sqlite import SQLiteImpl

_PARTS = sa.text(
    "SELECT name, sql FROM sqlite_master"
    " WHERE type IN ('index', 'trigger') AND tbl_name = :name AND sql IS NOT NULL"
)


class SQLiteRebuild(SQLiteImpl):
    """Takes the place of Alembic's own implementation for SQLite, by its dialect's name."""

    __dialect__ = "sqlite"

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._unread: dict[str, list[str]] = {}  # statements by table

    def prep_table_for_batch(self, batch_impl: Any, table: sa.Table) -> None:
        """Note what Alembic has not read of the table that is about to go."""
        super().prep_table_for_batch(batch_impl, table)
        if self.as_sql:  # nothing can be read
            return
        parts = self.connection.execute(_PARTS, {"name": table.name})
        read = {index.name for index in table.indexes}
        self._unread[table.name] = [sql for name, sql in parts if name not in read]

    def rename_table(self, old_table_name: str, new_table_name: Any, schema: Any = None) -> None:
        """The new table takes the old one's place: make anew what Alembic has not read."""
        super().rename_table(old_table_name, new_table_name, schema)
        for sql in self._unread.pop(new_table_name, ()):
            self.connection.exec_driver_sql(sql)
