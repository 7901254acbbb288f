"""The log: one line for each request or event, on standard error, as JSON or as text."""

import json
import logging
import os
import re
import select
import sys
from datetime import UTC, datetime
from typing import Any

import orjson

from app import product

STDERR = 2
# Each logger of this log with its lowest level. Below theirs, servers log each request again.
LOGGERS = {
    "service": logging.DEBUG,
    "app": logging.DEBUG,
    "gunicorn.error": logging.INFO,
    "werkzeug": logging.WARNING,
}
# Each group stays in the log, and the text behind the group is removed: the secret of a mailed
# link, a query (the code of an OpenID provider), and a token anywhere
# (app.services.authentication.secret_tokens).
_SECRETS = re.compile(
    r"(/auth/[\w-]+/)[^\s\"'<>]+" r"|(?<=[\w/])(\?)[^\s\"'<>]+" rf"|({product.TOKEN_PREFIX})\w+",
)
# Bytes, with the newline, that Linux writes to a pipe atomically. Not select.PIPE_BUF: Windows has
# no such name, and on macOS no traceback would fit into its 512 bytes.
LINE_MAX = 4096


class Line(dict[str, Any]):
    """The fields of a log line; as text "GET /tasks/<id> 200 ..."."""

    def __str__(self) -> str:
        return " ".join(str(value) for value in self.values() if value != "")


def without_secrets(text: str) -> str:
    """Return a message or traceback of any logger without the secrets of links in the text."""
    return _SECRETS.sub(lambda match: f"{match[match.lastindex or 0]}...", text)


class PlainFormatter(logging.Formatter):
    """Log lines for people."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        return without_secrets(super().format(record))


class JsonFormatter(logging.Formatter):
    """One JSON object a line, so that no input of a client can forge a second line."""

    def format(self, record: logging.LogRecord) -> str:
        time_ = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        fields: dict[str, str] = {"time": time_, "level": record.levelname.lower()}
        if isinstance(record.args, Line):  # logging unpacks a single mapping
            return orjson.dumps({**fields, **record.args}).decode()
        fields.update(logger=record.name, message=without_secrets(record.getMessage()))
        if record.exc_info:
            fields["exception"] = without_secrets(self.formatException(record.exc_info))
        return _fitting(fields)


def _fitting(fields: dict[str, str]) -> str:
    """Return the fields as one line of LINE_MAX, without the middle of a text that is too long."""
    line = json.dumps(fields, ensure_ascii=True)
    room = LINE_MAX
    while len(line) >= LINE_MAX:
        room -= room // 4
        shortened = {name: _without_middle(text, room) for name, text in fields.items()}
        line = json.dumps(shortened, ensure_ascii=True)
    return line


def _without_middle(text: str, room: int) -> str:
    if len(text) <= room:
        return text
    head = room // 4  # shows the cause of a chained error; the end shows where the error was raised
    return f"{text[:head]} [...] {text[head - room :]}"


class Lines(logging.Handler):
    """A handler that writes each line by one system call, without a lock.

    Under logging's own lock all threads wait at each request, for a seventh of the request's CPU.
    """

    def handle(self, record: logging.LogRecord) -> Any:
        result: Any = self.filter(record)  # since Python 3.12 a filter may return another record
        if result:
            self.emit(record if result is True else result)
        return result

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = f"{self.format(record)}\n".encode(errors="backslashreplace")
            while line:
                line = line[_write(line) :]
        except Exception:  # as logging's own handlers do: a failed log line fails no request
            self.handleError(record)


def _write(line: bytes) -> int:
    try:
        return os.write(STDERR, line)
    except BlockingIOError:  # another process made the shared pipe non-blocking
        select.select([], [STDERR], [])
        return 0


def set_up(level: str, format_: str) -> None:
    # Saves CPU: no log line shows its source file, thread or process.
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = False
    # If stderr was closed at the start, its number may by now belong to a socket or a file.
    handler = Lines() if sys.stderr else logging.NullHandler()
    handler.setFormatter(JsonFormatter() if format_ == "json" else PlainFormatter())
    for name, lowest in LOGGERS.items():
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.setLevel(max(lowest, logging.getLevelNamesMapping()[level]))
        logger.propagate = False
    if not logging.root.handlers:
        logging.root.addHandler(handler)  # warnings and errors of all other libraries
