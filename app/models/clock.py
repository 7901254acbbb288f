"""The clock that stamps what is written: UTC, never at or before a moment that was handed out.

A client may follow along from the newest moment that it has seen
(app.services.shared.following). Where this host's clock is behind, the database refuses a stamp
that such a client would miss, and the stamps of this process continue after the refused moment.
"""

from datetime import UTC, datetime, timedelta
from functools import partial

_utc = partial(datetime.now, UTC)
_earliest = datetime.min.replace(tzinfo=UTC)


def now() -> datetime:
    """The current moment, aware, in UTC."""
    moment = _utc()
    return max(_earliest, moment)


def continue_after(moment: datetime) -> None:
    """Let `now` return later moments than this one."""
    global _earliest
    _earliest = max(_earliest, moment + timedelta(microseconds=1))
