"""Durations in words."""

import math


def in_words(seconds: int) -> str:
    """Return seconds below a minute, minutes below two hours, else hours, rounded up: 5 minutes."""
    for unit, size, below in (("second", 1, 60), ("minute", 60, 7200)):
        if seconds < below:
            return _counted(math.ceil(seconds / size), unit)
    return _counted(math.ceil(seconds / 3600), "hour")


def _counted(number: int, unit: str) -> str:
    return f"{number} {unit}{'s' if number != 1 else ''}"
