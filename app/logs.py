"""The log: one line for each request or event, on standard error, as JSON or as text."""

import json
import logging
import os
import select
import sys
from datetime import UTC, datetime
from typing import Any

import orjson

STDERR = 2
# Bytes, with the newline, that a pipe of Linux takes in one piece, whoever else writes to it. Not
# select.PIPE_BUF: there is none on Windows, and on macOS no traceback would fit into its 512.
LINE_MAX = 4096


class Line(dict[str, Any]):
    """The fields of a line in the log; as text "GET /tasks/<id> 200 ..." for a person."""

    def __str__(self) -> str:
        return " ".join(str(value) for value in self.values() if value != "")


class JsonFormatter(logging.Formatter):
    """One JSON object a line, so that nothing that a client sends can forge a second one."""

    def format(self, record: logging.LogRecord) -> str:
        time_ = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        fields: dict[str, str] = {"time": time_, "level": record.levelname.lower()}
        if isinstance(record.args, Line):  # logging takes a lone mapping for the arguments
            return orjson.dumps({**fields, **record.args}).decode()
        fields.update(logger=record.name, message=record.getMessage())
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return _fitting(fields)


def _fitting(fields: dict[str, str]) -> str:
    """In one line of LINE_MAX: where a traceback is too long, its middle is left out."""
    line = json.dumps(fields, ensure_ascii=True)
    room = LINE_MAX
    while len(line) >= LINE_MAX:
        room -= room // 4
        kept = {name: _without_middle(text, room) for name, text in fields.items()}
        line = json.dumps(kept, ensure_ascii=True)
    return line


def _without_middle(text: str, room: int) -> str:
    if len(text) <= room:
        return text
    head = room // 4  # the cause of what was raised from another; the rest tells where
    return f"{text[:head]} [...] {text[head - room :]}"


class Lines(logging.Handler):
    """Writes each line by one call of the system, so that no thread waits for another's.

    Under logging's own lock all threads queue up at each request, for a seventh of its CPU.
    """

    def handle(self, record: logging.LogRecord) -> Any:
        kept: Any = self.filter(record)  # from Python 3.12 on it may be another record
        if kept:
            self.emit(record if kept is True else kept)
        return kept

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = f"{self.format(record)}\n".encode(errors="backslashreplace")
            while line:
                line = line[_write(line) :]
        except Exception:  # as logging's own handlers do: what cannot be logged stops nobody
            self.handleError(record)


def _write(line: bytes) -> int:
    try:
        return os.write(STDERR, line)
    except BlockingIOError:  # who shares it has set it so, and its reader is slow
        select.select([], [STDERR], [])
        return 0


def set_up(level: str, format_: str) -> None:
    # No line here says where in the code it was written or by which thread: do not find it out.
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = False
    # Where it was closed at the start, its number is by now that of some socket or file.
    handler = Lines() if sys.stderr else logging.NullHandler()
    plain = logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s")
    handler.setFormatter(JsonFormatter() if format_ == "json" else plain)
    for name in ("flagstone", "app", "gunicorn.error", "werkzeug"):
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.setLevel(level if name != "werkzeug" else "WARNING")
        logger.propagate = False
