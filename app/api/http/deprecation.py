"""Announcement of deprecated operations: `@operation(..., deprecated=Deprecation(...))`."""

from dataclasses import dataclass
from datetime import UTC, datetime

from werkzeug.datastructures import Headers
from werkzeug.http import http_date


@dataclass(frozen=True, kw_only=True)
class Deprecation:
    """The operation is deprecated since `since` and removed at `sunset` (both aware datetimes).
    `link` is a page that names the replacement."""

    since: datetime
    sunset: datetime
    link: str

    def announce(self, headers: Headers) -> None:
        """Add the headers Deprecation (RFC 9745), Sunset (RFC 8594) and Link."""
        headers["Deprecation"] = f"@{int(self.since.timestamp())}"
        headers["Sunset"] = http_date(self.sunset.astimezone(UTC))
        headers.add("Link", f'<{self.link}>; rel="deprecation"')
