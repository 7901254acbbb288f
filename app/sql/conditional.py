"""Changes of a row that was read without a lock.

PostgreSQL sends a deferred statement together with the COMMIT, so nobody can look at the number of
its rows. `required` makes the database refuse the transaction instead.
"""

from typing import Any

from sqlalchemy import ColumnElement, Select, Update, func, literal_column, select

_ONE: ColumnElement[int] = literal_column("1")


def required(change: Update) -> Select[Any]:
    """Return `change` as a statement of PostgreSQL that raises Outdated if no row matches.

    It divides by the number of changed rows, and no other statement divides by a variable.
    """
    changed = change.returning(_ONE.label("one")).cte("changed")
    return select(_ONE.op("/")(func.count()).label("one")).select_from(changed)
