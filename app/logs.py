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

STDERR = 2
# Each logger that writes here, with its lowest level. Servers repeat the request below theirs.
LOGGERS = {
    "flagstone": logging.DEBUG,
    "app": logging.DEBUG,
    "gunicorn.error": logging.INFO,
    "werkzeug": logging.WARNING,
}
# Each group is kept, and what follows it is left out: the link of a mail, a query (it may hold the
# code of an OpenID provider), and a token wherever it stands
# (app.services.authentication.secret_tokens).
_SECRETS = re.compile(
    r"(/auth/[\w-]+/)[^\s\"'<>]+" r"|(?<=[\w/])(\?)[^\s\"'<>]+" r"|(fst_)\w+",
)
# Bytes, with the newline, that a pipe of Linux takes in one piece, also with other writers. Not
# select.PIPE_BUF: there is none on Windows, and on macOS no traceback would fit into its 512.
LINE_MAX = 4096


class Line(dict[str, Any]):
    """The fields of a line in the log; as text "GET /tasks/<id> 200 ..." for a person."""

    def __str__(self) -> str:
        return " ".join(str(value) for value in self.values() if value != "")


def without_secrets(text: str) -> str:
    """The text of any logger, a traceback too, without what may be the secret of a link in it."""
    return _SECRETS.sub(lambda found: f"{found[found.lastindex or 0]}...", text)


class PlainFormatter(logging.Formatter):
    """Lines for a person to read."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        return without_secrets(super().format(record))


class JsonFormatter(logging.Formatter):
    """One JSON object a line, so that nothing that a client sends can forge a second one."""

    def format(self, record: logging.LogRecord) -> str:
        time_ = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        fields: dict[str, str] = {"time": time_, "level": record.levelname.lower()}
        if isinstance(record.args, Line):  # logging takes a lone mapping for the arguments
            return orjson.dumps({**fields, **record.args}).decode()
        fields.update(logger=record.name, message=without_secrets(record.getMessage()))
        if record.exc_info:
            fields["exception"] = without_secrets(self.formatException(record.exc_info))
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
    handler.setFormatter(JsonFormatter() if format_ == "json" else PlainFormatter())
    for name, lowest in LOGGERS.items():
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.setLevel(max(lowest, logging.getLevelNamesMapping()[level]))
        logger.propagate = False
    if not logging.root.handlers:
        logging.root.addHandler(handler)  # warnings and errors of all other libraries
