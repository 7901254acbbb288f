"""The clock of timestamps in rows: UTC, and always later than the timestamps clients have seen.

A client may follow changes from the newest timestamp that it has seen
(app.services.shared.following). If the clock of this host is behind, the database refuses a
timestamp that such a client would miss, and this process continues after the refused moment.
"""

from datetime import UTC, datetime, timedelta
from functools import partial

_utc = partial(datetime.now, UTC)
_earliest = datetime.min.replace(tzinfo=UTC)


def now() -> datetime:
    """Return the current moment as an aware datetime in UTC."""
    moment = _utc()
    return max(_earliest, moment)


def continue_after(moment: datetime) -> None:
    """Make `now` return only moments after this one."""
    global _earliest
    _earliest = max(_earliest, moment + timedelta(microseconds=1))
