"""A list on a page: its rows, and the ways to the next page and back to the first."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from flask import flash, request, url_for

from app.errors import InvalidParameter
from app.services.shared.paging import LIMIT_DEFAULT, Page
from app.web.current_user import page_user
from app.web.cursors import seal, unseal

T = TypeVar("T")


@dataclass(slots=True, frozen=True)
class Listed(Generic[T]):
    page: Page[T]
    next_url: str
    first_url: str


def listed(
    read: Callable[..., Page[T]],
    endpoint: str,
    *,
    name: str = "cursor",
    limit: int = LIMIT_DEFAULT,
    **address: Any,
) -> Listed[T]:
    """The page that the cursor in the query asks for; the first one where it does not do.

    The list stands on the page at `endpoint` with `address`, its cursor is called `name` there.
    """
    bound = binding(endpoint, name, **address)
    cursor = request.args.get(name)
    try:
        after = unseal(cursor, bound)
    except InvalidParameter:
        flash("That page of the list no longer exists. This is the first page.", "warning")
        cursor = after = None
    page = read(limit=limit, after=after)
    if after and not page.items:  # the last row of this page has left the list
        cursor, page = None, read(limit=limit, after=None)
    further: dict[str, Any] = {**address, name: seal(page.last, bound)}
    return Listed(
        page,
        url_for(endpoint, **further) if page.last else "",
        url_for(endpoint, **address) if cursor else "",
    )


def binding(endpoint: str, name: str = "cursor", **address: Any) -> list[Any]:
    """What a cursor of this list is good for."""
    return [endpoint, name, address, page_user().id]
