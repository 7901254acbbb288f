"""Safe redirects: only to pages of this service."""

from urllib.parse import urlsplit

from flask import request

NEXT_MAX = 8000  # characters: the server's limit of a request line


def next_page(default: str) -> str:
    """Return `next` of the query or the form if it is a local path, else `default`."""
    target = request.values.get("next", "")
    return target if is_local(target) else default


def page_before() -> str | None:
    """Return the page of the sent form by the Referer; None if it is not a page of this host."""
    parts = urlsplit(request.referrer or "")
    target = f"{parts.path}?{parts.query}".rstrip("?")
    return target if parts.netloc == request.host and is_local(target) else None


def is_local(target: str) -> bool:
    """Return True if browsers resolve the target to a path on this host.

    A second slash starts a host name. Browsers treat a backslash as a slash, and remove control
    characters and spaces before they parse.
    """
    if not target.startswith("/") or target.startswith("//") or len(target) > NEXT_MAX:
        return False
    return target.isprintable() and not set(target) & {"\\", " "}
