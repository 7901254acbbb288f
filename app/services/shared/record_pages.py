"""Pages of the records of a resource, by declared sorts and filters (app.services.shared.records).

One statement for each combination of sort, filters and place, built once. With two kinds of persons
and many rows, a statement with a branch for each kind is quicker (docs/records.md).
"""

import functools
from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Table, and_, bindparam, func, or_, select

from app.models.types import UTCDateTime
from app.services.shared import filters as list_filters, paging
from app.services.shared.filters import Filter
from app.services.shared.paging import Page, PageRequest
from app.sql import Statement


class _Shape(NamedTuple):
    """The features of a list statement besides its parameters."""

    among: str  # the name of the condition in `Pages.among`
    filters: list_filters.Shape
    sort: str
    descending: bool
    resumed: bool  # behind a cursor
    among_missing: bool  # the cursor's row has no value in the sort key


class Pages:
    """The pages of a table. `among` holds the conditions of the rows to choose from, by name;
    `sorts` and `filters` are named as in the API."""

    def __init__(
        self,
        table: Table,
        among: Mapping[str, ColumnElement[bool]],
        sorts: Mapping[str, ColumnElement[Any]],
        filters: Mapping[str, Filter],
    ) -> None:
        self.table, self.among, self.sorts, self.filters = table, among, sorts, filters
        self._statement = functools.lru_cache(maxsize=256)(self._build)

    def read(
        self,
        among: str,
        request: PageRequest,
        wanted: Mapping[str, Any],
        sort: str,
        **values: Any,
    ) -> Page[Any]:
        """Return the page of the rows in `among` that match all filters in `wanted`.

        `sort` descends with "-" before it. Rows without a value in the sort key come last.
        `values` are the parameters of the condition.
        """
        matching, bound = list_filters.parameters(self.filters, wanted)
        at, last_id = request.after or (None, None)
        name = sort.removeprefix("-")
        if isinstance(self.sorts[name].type, UTCDateTime):
            at = paging.moment(at)
        values.update(bound, at=at, last_id=last_id, size=request.limit + 1)
        resumed = request.after is not None
        missing = resumed and at is None
        shape = _Shape(among, matching, name, sort.startswith("-"), resumed, missing)
        rows = self._statement(shape).all(**values)
        total = self._statement(shape, counted=True).scalar(**values) if request.count else None
        return paging.cut(rows, request.limit, "sort_key", total)

    def _build(self, shape: _Shape, *, counted: bool = False) -> Statement[Any]:
        """Return the statement of a page, or of the number of all matching rows."""
        filters = list_filters.conditions(self.filters, shape.filters)
        matching = and_(self.among[shape.among], *filters)
        if counted:
            return Statement(
                select(func.count().label("total")).select_from(self.table).where(matching)
            )
        key, row_id = self.sorts[shape.sort], self.table.c.id
        query = select(*self.table.c, key.label("sort_key")).where(matching)
        if shape.resumed:
            query = query.where(_behind(key, row_id, shape))
        first, then = (key.desc(), row_id.desc()) if shape.descending else (key.asc(), row_id.asc())
        return Statement(query.order_by(first.nulls_last(), then).limit(bindparam("size")))


def _behind(
    key: ColumnElement[Any], row_id: ColumnElement[str], shape: _Shape
) -> ColumnElement[bool]:
    """Return the condition of the rows behind the cursor's row."""
    last_id = bindparam("last_id", type_=row_id.type)
    if shape.among_missing:
        return and_(key.is_(None), row_id < last_id if shape.descending else row_id > last_id)
    at = bindparam("at", type_=key.type)
    return or_(paging.behind(key, row_id, shape.descending, at, last_id), key.is_(None))
