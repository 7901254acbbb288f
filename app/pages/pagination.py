"""Pagination of a list on a page: the rows, and the URLs of the next and the first page."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from flask import abort, flash, redirect, request, url_for

from app.errors import InvalidParameter
from app.services.shared.paging import LIMIT_DEFAULT, Page, PageRequest
from app.web.current_user import page_user
from app.web.cursors import seal, unseal

T = TypeVar("T")


@dataclass(slots=True, frozen=True)
class Listed(Generic[T]):
    page: Page[T]
    next_url: str
    first_url: str


def listed(
    read: Callable[[PageRequest], Page[T]],
    endpoint: str,
    *,
    name: str = "cursor",
    limit: int = LIMIT_DEFAULT,
    count: bool = False,
    **address: Any,
) -> Listed[T]:
    """Return the list page of the query's cursor, or the first page for an invalid cursor.

    `endpoint` and `address` make the URL of the page; `name` is the cursor's query parameter.
    A page that has become empty redirects to the first one, so that the address stays true.
    """
    bound = binding(endpoint, name, **address)
    cursor = request.args.get(name)
    try:
        after = unseal(cursor, bound)
    except InvalidParameter:
        flash("That page of the list no longer exists. This is the first page.", "warning")
        cursor = after = None
    page = read(PageRequest(limit, after, count))
    if after and not page.items:  # the page became empty since the cursor was issued
        abort(redirect(url_for(endpoint, **address)))
    further: dict[str, Any] = {**address, name: seal(page.last, bound)}
    return Listed(
        page,
        url_for(endpoint, **further) if page.last else "",
        url_for(endpoint, **address) if cursor else "",
    )


def binding(endpoint: str, name: str = "cursor", **address: Any) -> list[Any]:
    """Return the values that a cursor of this list is bound to."""
    return [endpoint, name, address, page_user().id]
