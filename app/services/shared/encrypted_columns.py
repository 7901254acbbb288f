"""The columns of sealed secrets: reading, and sealing again after a change of SECRET_KEY.

A column is found here by `info=SEALED` in its model. A value is replaced only if it is still the
value that was read, so that a newer secret is never overwritten.
"""

import logging
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Column, ColumnElement, bindparam, select, update

from app.models import Webhook
from app.models.types import SEALED
from app.services.shared import encryption
from app.services.shared.encryption import Sealed
from app.sql import ROW_KEY, Statement

PAGE = 500  # rows that are read at a time
_FIRST = "00000000-0000-0000-0000-000000000000"
_log = logging.getLogger("service.sealing")


class Counts(NamedTuple):
    """The number of a column's values by key: the present one, an earlier one, an unknown one."""

    present: int
    earlier: int
    unreadable: int

    @property
    def total(self) -> int:
        return sum(self)


class SealedColumn:
    """A column of sealed values, in a table with an `id`."""

    def __init__(self, column: Column[Any]) -> None:
        table = column.table
        self.name = f"{table.name}.{column.name}"
        self._page = Statement[Any](
            select(table.c.id, column.label("sealed"))
            .where(table.c.id > bindparam("after"), column.is_not(None))
            .order_by(table.c.id)
            .limit(bindparam("size"))
        )
        self._replace = Statement[Any](
            update(table)
            .where(table.c.id == ROW_KEY, column == bindparam("old"))
            .values({column.name: bindparam("new")})
        )

    def read(self, row_id: str, sealed: str) -> str:
        """Read a value, as the function `read` does."""
        try:
            value = encryption.unseal(sealed)
        except Sealed as error:
            _log.error("%s of %s: %s", self.name, row_id, error)
            raise
        if encryption.is_outdated(sealed):
            self._renew(row_id, sealed, value)
        return value

    def count(self) -> Counts:
        """Return the counts of all rows."""
        kinds = [_kind(row.sealed) for row in self._rows()]
        return Counts(*(kinds.count(kind) for kind in Counts._fields))

    def rotate(self) -> Counts:
        """Seal the values of earlier keys again. Return the counts from before."""
        counts = dict.fromkeys(Counts._fields, 0)
        for row in self._rows():
            kind = _kind(row.sealed)
            if kind == "earlier":
                self._renew(row.id, row.sealed, encryption.unseal(row.sealed))
            counts[kind] += 1
        return Counts(**counts)

    def _renew(self, row_id: str, sealed: str, value: str) -> None:
        self._replace.run(key=row_id, old=sealed, new=encryption.seal(value))

    def _rows(self) -> Iterator[Any]:
        after = _FIRST
        while page := self._page.all(after=after, size=PAGE):
            yield from page
            after = page[-1].id


def read(column: ColumnElement[Any], row_id: str, sealed: str) -> str:
    """Return the secret of the value `sealed` in `column` and row `row_id`.

    Seals a value of an earlier key again with SECRET_KEY. Raises Sealed and logs the error.
    """
    return _by_column()[column].read(row_id, sealed)


def all_columns() -> list[SealedColumn]:
    """Return every column of sealed values."""
    return list(_by_column().values())


@cache
def _by_column() -> dict[ColumnElement[Any], SealedColumn]:
    tables = Webhook.metadata.sorted_tables
    columns = [one for table in tables for one in table.c if SEALED.items() <= one.info.items()]
    return {column: SealedColumn(column) for column in sorted(columns, key=str)}


def _kind(sealed: str) -> str:
    try:
        encryption.unseal(sealed)
    except Sealed:
        return "unreadable"
    return "earlier" if encryption.is_outdated(sealed) else "present"
