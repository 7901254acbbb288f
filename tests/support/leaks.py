"""No log may hold a secret (ASVS 5.0, 16.2.5): all that is logged in a run of the tests is kept, by
this process and by those that it starts, and searched when the run ends.

What looks like a token, a cookie or a hash of a password is one, whoever made it; passwords are
those that the clients send.
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
LENGTH_MIN = 12  # of a password that cannot be something else by chance

lines: list[str] = []
passwords: set[str] = set()


def listen() -> None:
    """Keep what any logger of this process is told from now on."""
    make, formatter = logging.getLogRecordFactory(), JsonFormatter()

    def kept(*args: Any, **options: Any) -> logging.LogRecord:
        record = make(*args, **options)
        lines.append(formatter.format(record))
        return record

    logging.setLogRecordFactory(kept)


def read(log: Path) -> None:
    """Keep what another process has logged."""
    lines.extend(log.read_text(errors="replace").splitlines())


def note(fields: Any) -> None:
    """The passwords among what a client sends, as JSON or as a form."""
    if isinstance(fields, dict):
        for name, value in fields.items():
            if name in PASSWORD_FIELDS and isinstance(value, str) and len(value) >= LENGTH_MIN:
                passwords.add(value)


def found(logged: list[str]) -> list[str]:
    """The lines that hold a secret."""
    return [
        line for line in logged if LOOKS.search(line) or any(word in line for word in passwords)
    ]
