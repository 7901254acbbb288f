"""Spans of time in words."""

import math


def in_words(seconds: int) -> str:
    """Seconds up to a minute, minutes up to two hours, then hours: "5 minutes", rounded up."""
    for unit, size, below in (("second", 1, 60), ("minute", 60, 7200)):
        if seconds < below:
            return _counted(math.ceil(seconds / size), unit)
    return _counted(math.ceil(seconds / 3600), "hour")


def _counted(number: int, unit: str) -> str:
    return f"{number} {unit}{'s' if number != 1 else ''}"
