"""Where a page may send the browser: to another page of this service, and nowhere else."""

from urllib.parse import urlsplit

from flask import request

NEXT_MAX = 8000  # characters: as long as the server lets the line of a request be


def next_page(default: str) -> str:
    """The page that `next` asks for, in the query or the form, where it is one of ours."""
    target = request.values.get("next", "")
    return target if is_local(target) else default


def page_before() -> str | None:
    """The page on which the sent form stood, as the browser says it; None for a page elsewhere."""
    parts = urlsplit(request.referrer or "")
    target = f"{parts.path}?{parts.query}".rstrip("?")
    return target if parts.netloc == request.host and is_local(target) else None


def is_local(target: str) -> bool:
    """Whether it is a path on this host, for every way in which a browser may read it.

    A second slash would start a host, browsers take a backslash for a slash, and drop control
    characters and blanks before they look.
    """
    if not target.startswith("/") or target.startswith("//") or len(target) > NEXT_MAX:
        return False
    return target.isprintable() and not set(target) & {"\\", " "}
