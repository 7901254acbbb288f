"""The answer to an id of nothing, or of something that the actor may not see: the same 404."""

from typing import TypeVar

from app.errors import NotFound

T = TypeVar("T")


def require_found(row: T | None, kind: str) -> T:
    """Return the row. Raises NotFound, naming the kind ("token"), if there is none."""
    if row is None:
        raise NotFound(f"There is no such {kind}.")
    return row
