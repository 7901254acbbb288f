"""Findings of `flask doctor`, one line each."""

from typing import Literal, NamedTuple


class Finding(NamedTuple):
    level: Literal["ok", "warning", "fault"]
    what: str
    text: str

    def __str__(self) -> str:
        return f"{self.level}: {self.what}: {self.text}"


def ok(what: str, text: str) -> Finding:
    return Finding("ok", what, text)


def warning(what: str, text: str) -> Finding:
    return Finding("warning", what, text)


def fault(what: str, text: str) -> Finding:
    return Finding("fault", what, text)
