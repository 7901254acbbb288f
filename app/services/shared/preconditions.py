"""Optimistic concurrency: a change names the versions that it may change (RFC 9110, 13)."""

from collections.abc import Container
from dataclasses import dataclass

from app.errors import PreconditionFailed

Expect = Container[int] | None  # the versions that may be changed; None: any


@dataclass(frozen=True, slots=True)
class Condition:
    """The versions that If-Match (`among`) and If-None-Match (`besides`) leave to a change.

    `among` is None if any version may be changed, `besides` is None if no version may.
    """

    among: frozenset[int] | None = None
    besides: frozenset[int] | None = frozenset()

    def __contains__(self, version: object) -> bool:
        if self.besides is None or version in self.besides:
            return False
        return self.among is None or version in self.among


def check(expect: Expect, version: int) -> None:
    """Raise PreconditionFailed unless `version` is in `expect` or `expect` is None."""
    if expect is None or version in expect:
        return
    if isinstance(expect, Condition) and (expect.among is None or version in expect.among):
        raise PreconditionFailed("The request excludes the current version (If-None-Match).")
    raise PreconditionFailed("It was changed in the meantime: read it again.")
