"""The description of a requested record that the token's holder may see.

`app.services.access.bearer_tokens` reads the record in the statement that reads the token.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement


class HolderRecord(NamedTuple):
    """The `columns` of a table, the first one never null, and the `condition` of the row.

    The condition compares with `User`, the token's holder; its parameters are named as the ids in
    the URL. The condition gives only a user's rights: an admin without a result needs another
    statement.
    """

    columns: Sequence[Any]
    condition: ColumnElement[bool]
