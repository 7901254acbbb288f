"""The end of an operation, announced: `@operation(..., deprecated=Deprecation(...))`."""

from dataclasses import dataclass
from datetime import UTC, datetime

from werkzeug.datastructures import Headers
from werkzeug.http import http_date


@dataclass(frozen=True, kw_only=True)
class Deprecation:
    """`since` when it is not to be used any more, `sunset` when it will be gone; `link` is a page
    that tells what to use instead. Both moments are aware."""

    since: datetime
    sunset: datetime
    link: str

    def announce(self, headers: Headers) -> None:
        """RFC 9745 (Deprecation), RFC 8594 (Sunset)."""
        headers["Deprecation"] = f"@{int(self.since.timestamp())}"
        headers["Sunset"] = http_date(self.sunset.astimezone(UTC))
        headers.add("Link", f'<{self.link}>; rel="deprecation"')
