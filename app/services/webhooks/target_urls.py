"""Checks of webhook URLs: no URL may point into the private network of this service.

OWASP API7:2023 (server-side request forgery), ASVS 5.0, 1.3.6. The check runs when a URL is saved,
and again on the addresses at each delivery, because a name may resolve to another address by then.
"""

import ipaddress
import re
import socket
from concurrent.futures import ThreadPoolExecutor, TimeoutError as TookTooLong
from urllib.parse import SplitResult, urlsplit

from app import settings
from app.errors import Invalid
from app.faults import Code, Fault
from app.models.webhook import URL_MAX

PATIENCE = 2.0  # seconds to resolve the name of a URL that is saved
PORTS = {"http": 80, "https": 443}
# The URLs of RFC 3986 with a host, and without a user or a fragment.
_PATH = r"[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2}"
PATTERN = (
    r"^https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?"
    rf"(/({_PATH})*)?(\?({_PATH}|\?)*)?$"
)
# Global unicast IPv6 (RFC 4291, 2.4). Addresses outside it may reach private ones: embedded IPv4
# (::7f00:1, 64:ff9b::7f00:1) or site-local addresses (fec0::/10).
UNICAST = ipaddress.IPv6Network("2000::/3")
# Always refused: Python's `is_global` differs between versions, and the setting
# WEBHOOK_ALLOW_PRIVATE is for private networks only.
REFUSED = tuple(
    map(
        ipaddress.ip_network,
        (
            "168.63.129.16/32",  # Azure's host agent, reachable from every virtual machine
            "192.0.0.0/24",  # IETF protocol assignments (RFC 6890)
            "192.88.99.0/24",  # relays of 6to4 (RFC 7526)
            "3fff::/20",  # documentation (RFC 9637)
            "2620:4f:8000::/48",  # AS112, which answers for private addresses (RFC 7535)
        ),
    )
)
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052
FIRST_UNPRIVILEGED_PORT = 1024  # lower: SSH, mail, SMB and other protocols that HTTP can abuse
_TCP = socket.SOCK_STREAM
_resolver = ThreadPoolExecutor(4, "resolver")


def check(url: str) -> None:
    """Raise Invalid for `url` unless a webhook may use it. A name that does not resolve passes."""
    parts = _parts(url)
    if not is_port_allowed(port_of(parts)):
        raise _refusal(Code.NOT_ALLOWED, "Use port 80, 443, or one from 1024 up.")
    try:
        found = addresses(parts, PATIENCE)
    except OSError:
        return
    if not found:
        raise _refusal(
            Code.NOT_ALLOWED,
            "Use a public address: no private, loopback or link-local one, and no reserved one.",
        )


def addresses(parts: SplitResult, patience: float) -> list[str]:
    """Return the IP addresses of a URL, or [] if one of them is not allowed.

    `patience` limits the name resolution, in seconds. Raises OSError if the name does not resolve.
    """
    pending = _resolver.submit(socket.getaddrinfo, parts.hostname, port_of(parts), type=_TCP)
    try:
        found = pending.result(patience)
    except TookTooLong:
        pending.cancel()
        raise OSError("The name was not resolved in time.") from None
    except UnicodeError:  # a label that is too long, and the like
        raise OSError("The name is not a valid host name.") from None
    every = list(dict.fromkeys(str(address[0]) for *_, address in found))
    allowed = is_unrefused if settings.current().webhook_allow_private else is_public
    return every if all(map(allowed, every)) else []


def is_port_allowed(port: int) -> bool:
    """Return True if a webhook may use the TCP port."""
    return port in PORTS.values() or port >= FIRST_UNPRIVILEGED_PORT


def is_unrefused(address: str) -> bool:
    """Return True if the address, or the IPv4 address embedded in it, is outside REFUSED."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    return not any(form in network for form in (ip, _embedded(ip)) if form for network in REFUSED)


def _embedded(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address embedded in an IPv6 address, or None."""
    if isinstance(ip, ipaddress.IPv4Address):
        return None
    if ip in NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour


def is_public(address: str) -> bool:
    """Return True if the address belongs to the public Internet."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and (ip not in UNICAST or ip.sixtofour or ip.teredo):
        return False
    return ip.is_global and not ip.is_multicast and is_unrefused(address)


def port_of(parts: SplitResult) -> int:
    return parts.port or PORTS[parts.scheme]


def _parts(url: str) -> SplitResult:
    if len(url) > URL_MAX:
        raise _refusal(Code.TOO_LONG, f"Use at most {URL_MAX} characters.")
    try:
        parts = urlsplit(url)
        sane = bool(re.fullmatch(PATTERN, url) and parts.hostname) and parts.port != 0
    except ValueError:  # an invalid port, or brackets without an address
        sane = False
    if not sane:
        why = "Use a URL as https://example.org/path: no user, no fragment, only ASCII."
        raise _refusal(Code.MALFORMED, why)
    return parts


def _refusal(code: Code, why: str) -> Invalid:
    return Invalid("This URL cannot be used.", {"url": Fault(code, why)})
