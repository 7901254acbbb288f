"""Describes the record that a request names, as the holder of its token may see it.

`app.services.access.bearer_tokens` reads it in the statement that reads the token.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement


class HolderRecord(NamedTuple):
    """`columns` of one table, the first of which is never null, and the `condition` of the row.

    The condition compares with `User`, who holds the token; its parameters have the names that the
    ids have in the URL. It gives no more than a user's rights: an admin who finds no record this
    way needs another statement.
    """

    columns: Sequence[Any]
    condition: ColumnElement[bool]
