"""Usernames that people cannot give themselves: readers would take their owner for the service.

Names of roles of mail and web services (RFC 2142), of administration and of values of programs.
Admins and commands may use them.
"""

import re
from unicodedata import normalize

PREFIXES = ("admin",)
NAMES = (
    *("abuse", "hostmaster", "mailer-daemon", "noc", "no-reply", "postmaster", "webmaster"),
    *("contact", "help", "helpdesk", "info", "marketing", "news", "sales", "support"),
    *("billing", "compliance", "legal", "moderator", "official", "privacy", "security", "staff"),
    *("daemon", "nobody", "operator", "root", "sudo", "superuser", "sysadmin", "system"),
    *("anonymous", "everyone", "flagstone", "null", "undefined"),
    *("api", "ftp", "imap", "mail", "pop3", "smtp", "usenet", "uucp", "www"),
)
# Characters that are read as another one in many typefaces. Both sides of a comparison are folded.
_ALIKE = str.maketrans("013457l", "oieasti")


def is_reserved(username: str) -> bool:
    """Return whether a username is reserved, or looks like a reserved one.

    Case, compatibility forms (NFKC), separators and characters that look alike do not count.
    """
    folded = _fold(username)
    return folded in _NAMES or folded.startswith(_PREFIXES)


def _fold(text: str) -> str:
    """Digits at the end are no letters: `new-5` is a name of its own."""
    plain = re.sub(r"[._-]", "", normalize("NFKC", text).casefold())
    letters = plain.rstrip("0123456789")
    alike = letters.translate(_ALIKE).replace("rn", "m").replace("vv", "w")
    return alike + plain[len(letters) :]


_NAMES = frozenset(map(_fold, NAMES))
_PREFIXES = tuple(map(_fold, PREFIXES))
