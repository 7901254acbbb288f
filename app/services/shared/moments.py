"""Parsers of dates and times for the API, the import and the forms, and the days of a chart.

`datetime.fromisoformat` alone accepts too much: an offset of +14:60, weeks, and since Python 3.13
an hour of 24.
"""

import re
from datetime import UTC, datetime, timedelta

from app.models.types import now

_DATE = r"\d{4}-\d\d-\d\d"
_MINUTE = r"(?:[01]\d|2[0-3]):[0-5]\d"
_SECOND = r":[0-5]\d(?:\.\d{1,9})?"
_OFFSET = rf"(?:Z|[+-]{_MINUTE})"
_RFC_3339 = re.compile(rf"{_DATE}T{_MINUTE}{_SECOND}{_OFFSET}", re.ASCII)
_TYPED = re.compile(rf"{_DATE}(?:[T ]{_MINUTE}(?:{_SECOND})?{_OFFSET}?)?", re.ASCII)


def from_rfc_3339(text: str) -> datetime:
    """Return the time in UTC. Raises ValueError, also for impossible dates (RFC 3339, 5.6)."""
    return _read(_RFC_3339, text)


def from_typed(text: str) -> datetime:
    """Return the time of a date with or without time and offset (UTC). Raises ValueError."""
    return _read(_TYPED, text)


def _read(form: "re.Pattern[str]", text: str) -> datetime:
    text = text.upper()
    if not form.fullmatch(text):
        raise ValueError(f"No moment is written like this: {text!r}")
    moment = datetime.fromisoformat(text)
    try:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError as error:
        raise ValueError("No calendar has this moment.") from error


def last_days(number: int) -> tuple[datetime, list[str]]:
    """Return the start of the first of the last `number` days in UTC, and their dates, today last.

    A date is text: "2026-11-30".
    """
    midnight = now().replace(hour=0, minute=0, second=0, microsecond=0)
    days = [midnight - timedelta(days=before) for before in range(number - 1, -1, -1)]
    return days[0], [day.date().isoformat() for day in days]
