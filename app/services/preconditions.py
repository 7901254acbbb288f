"""Optimistic concurrency: a change names the versions that it may change (RFC 9110, 13.1.1)."""

from collections.abc import Collection

from app.errors import PreconditionFailed

Expect = Collection[int] | None  # the versions that the caller may have seen; None: any will do


def check(expect: Expect, version: int) -> None:
    """Raises PreconditionFailed unless `version` is among `expect`; None expects nothing."""
    if expect is not None and version not in expect:
        raise PreconditionFailed("It was changed in the meantime: read it again.")
