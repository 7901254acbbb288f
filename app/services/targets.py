"""Where a webhook may point: nowhere within the network that this service stands in.

OWASP API7:2023 (server-side request forgery), ASVS 5.0, 1.3.6. Asked when a URL is saved, and again
of the address that is connected to when something is sent: a name may resolve otherwise by then.
"""

import ipaddress
import re
import socket
from concurrent.futures import ThreadPoolExecutor, TimeoutError as TookTooLong
from urllib.parse import SplitResult, urlsplit

from app import policy
from app.errors import Invalid
from app.faults import Code, Fault
from app.models.webhook import URL_MAX

PATIENCE = 2.0  # seconds for the name of a URL that is saved
PORTS = {"http": 80, "https": 443}
# The URLs of RFC 3986 with a host, and without a user or a fragment.
_PATH = r"[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2}"
PATTERN = (
    r"^https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?"
    rf"(/({_PATH})*)?(\?({_PATH}|\?)*)?$"
)
# What is given out of IPv6 to be reached from everywhere (RFC 4291, 2.4). What lies outside may be
# read as an address within: one of IPv4 (::7f00:1, 64:ff9b::7f00:1), or of a site (fec0::/10).
UNICAST = ipaddress.IPv6Network("2000::/3")
_TCP = socket.SOCK_STREAM
_resolver = ThreadPoolExecutor(4, "resolver")


def check(url: str) -> None:
    """Raises Invalid, blaming `url`. A name that does not resolve now may do so later."""
    parts = _parts(url)
    try:
        found = addresses(parts, PATIENCE)
    except OSError:
        return
    if not found:
        raise _refusal(
            Code.NOT_ALLOWED, "It must not point at a private, loopback or link-local address."
        )


def addresses(parts: SplitResult, patience: float) -> list[str]:
    """Where a URL may be sent to: [] where it points within. Raises OSError: it does not resolve.

    `patience`, in seconds, is what finding out may take.
    """
    pending = _resolver.submit(socket.getaddrinfo, parts.hostname, port_of(parts), type=_TCP)
    try:
        found = pending.result(patience)
    except TookTooLong:
        pending.cancel()
        raise OSError("The name was not resolved in time.") from None
    except UnicodeError:  # a label that is too long, and the like
        raise OSError("The name is none.") from None
    every = list(dict.fromkeys(str(address[0]) for *_, address in found))
    if policy.current().webhook_allow_private or all(map(is_public, every)):
        return every
    return []


def is_public(address: str) -> bool:
    """Whether it is one of the public Internet."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and (ip not in UNICAST or ip.sixtofour or ip.teredo):
        return False
    return ip.is_global and not ip.is_multicast


def port_of(parts: SplitResult) -> int:
    return parts.port or PORTS[parts.scheme]


def _parts(url: str) -> SplitResult:
    if len(url) > URL_MAX:
        raise _refusal(Code.TOO_LONG, f"Use at most {URL_MAX} characters.")
    try:
        parts = urlsplit(url)
        sane = bool(re.fullmatch(PATTERN, url) and parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none, a bracket that is no address
        sane = False
    if not sane:
        why = "Use a URL as https://example.org/path: no user, no fragment, ASCII alone."
        raise _refusal(Code.MALFORMED, why)
    return parts


def _refusal(code: Code, why: str) -> Invalid:
    return Invalid("This URL cannot be used.", {"url": Fault(code, why)})
