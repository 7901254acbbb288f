"""Reserved usernames: readers would mistake their owners for the service.

The names are roles of mail and web services (RFC 2142), terms of administration, and values of
programs. Admins and commands may use them.
"""

import re
from unicodedata import normalize

from app.product import SLUG

PREFIXES = ("admin",)
NAMES = (
    *("abuse", "hostmaster", "mailer-daemon", "noc", "no-reply", "postmaster", "webmaster"),
    *("contact", "help", "helpdesk", "info", "marketing", "news", "sales", "support"),
    *("billing", "compliance", "legal", "moderator", "official", "privacy", "security", "staff"),
    *("daemon", "nobody", "operator", "root", "sudo", "superuser", "sysadmin", "system"),
    *("anonymous", "everyone", SLUG, "null", "undefined"),
    *("api", "ftp", "imap", "mail", "pop3", "smtp", "usenet", "uucp", "www"),
)
# Characters that look alike in many typefaces. Both sides of a comparison are folded.
_ALIKE = str.maketrans("013457l", "oieasti")


def is_reserved(username: str) -> bool:
    """Return True if a username is reserved or looks like a reserved one.

    The comparison ignores case, compatibility forms (NFKC), separators and lookalike characters.
    """
    folded = _fold(username)
    return folded in _NAMES or folded.startswith(_PREFIXES)


def _fold(text: str) -> str:
    """Fold lookalike characters, except digits at the end: `new-5` is not `news`."""
    plain = re.sub(r"[._-]", "", normalize("NFKC", text).casefold())
    letters = plain.rstrip("0123456789")
    alike = letters.translate(_ALIKE).replace("rn", "m").replace("vv", "w")
    return alike + plain[len(letters) :]


_NAMES = frozenset(map(_fold, NAMES))
_PREFIXES = tuple(map(_fold, PREFIXES))
