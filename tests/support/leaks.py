"""The search for secrets in logs (ASVS 5.0, 16.2.5). All log lines of a run, of this process and
of those it starts, are collected and searched at the end of the run.

Any text in the form of a token, a cookie or a password hash counts as a secret, and so do the
passwords that the clients send.
"""

import logging
import re
from pathlib import Path
from typing import Any

from app.logs import JsonFormatter
from app.product import TOKEN_PREFIX

LOOKS = re.compile(
    rf"{TOKEN_PREFIX}\w{{49}}"
    r"|[\w-]{20,}\.[\w-]{6}\.[\w-]{27}"  # signed: a cookie, a CSRF token, a cursor
    r"|\$argon2"
    r"|whsec_[\w+/=]{20,}"
)
PASSWORD_FIELDS = frozenset({"password", "current_password", "new_password", "otp"})
LENGTH_MIN = 12  # of a password, so that no other text matches by chance

lines: list[str] = []
passwords: set[str] = set()


def listen() -> None:
    """Collect the lines of all loggers of this process from now on."""
    make, formatter = logging.getLogRecordFactory(), JsonFormatter()

    def kept(*args: Any, **options: Any) -> logging.LogRecord:
        record = make(*args, **options)
        lines.append(formatter.format(record))
        return record

    logging.setLogRecordFactory(kept)


def read(log: Path) -> None:
    """Collect the log of another process."""
    lines.extend(log.read_text(errors="replace").splitlines())


def note(fields: Any) -> None:
    """Collect the passwords in the JSON or form of a client."""
    if isinstance(fields, dict):
        for name, value in fields.items():
            if name in PASSWORD_FIELDS and isinstance(value, str) and len(value) >= LENGTH_MIN:
                passwords.add(value)


def found(logged: list[str]) -> list[str]:
    """Return the lines with a secret."""
    return [
        line for line in logged if LOOKS.search(line) or any(word in line for word in passwords)
    ]
