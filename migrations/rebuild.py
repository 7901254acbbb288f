"""The rebuild of a table on SQLite, which supports few kinds of ALTER TABLE.

Alembic copies the rows into a new table and drops the old one (`op.batch_alter_table`). Alembic
creates columns, named constraints and plain indexes again; this module does so with triggers and
indexes over expressions. One with a column that the new table lacks stops the migration: drop the
trigger or index first.
"""

from typing import Any

import sqlalchemy as sa
from alembic.ddl.sqlite import SQLiteImpl

_PARTS = sa.text(
    "SELECT name, sql FROM sqlite_master"
    " WHERE type IN ('index', 'trigger') AND tbl_name = :name AND sql IS NOT NULL"
)


class SQLiteRebuild(SQLiteImpl):
    """Alembic's implementation for SQLite, registered under the dialect's name."""

    __dialect__ = "sqlite"

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._unread: dict[str, list[str]] = {}  # statements by table

    def prep_table_for_batch(self, batch_impl: Any, table: sa.Table) -> None:
        """Note the triggers and indexes of the old table that Alembic does not read."""
        super().prep_table_for_batch(batch_impl, table)
        if self.as_sql:  # offline, without a connection
            return
        parts = self.connection.execute(_PARTS, {"name": table.name})
        read = {index.name for index in table.indexes}
        self._unread[table.name] = [sql for name, sql in parts if name not in read]

    def rename_table(self, old_table_name: str, new_table_name: Any, schema: Any = None) -> None:
        """Rename the new table, and create the noted triggers and indexes again."""
        super().rename_table(old_table_name, new_table_name, schema)
        for sql in self._unread.pop(new_table_name, ()):
            self.connection.exec_driver_sql(sql)
