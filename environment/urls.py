"""URLs and hosts in settings."""

import re
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

PORTS = {"http": 80, "https": 443}
LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})
HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+")


def split(url: str, *schemes: str) -> SplitResult | None:
    """Return the parts of a URL of one of `schemes`, None for any other text or a bad host."""
    try:
        parts = urlsplit(url)
        sane = parts.scheme in schemes and parts.port != 0
    except ValueError:
        return None
    return parts if sane and HOST.fullmatch(parts.hostname or "") else None


def origin_of(url: str) -> str:
    """Return scheme, host and port as a browser writes them; "" for any other URL or text."""
    parts = split(url, *PORTS)
    if (
        parts is None
        or "@" in parts.netloc
        or parts.path.strip("/")
        or parts.query
        or parts.fragment
    ):
        return ""
    port = "" if parts.port in (None, PORTS[parts.scheme]) else f":{parts.port}"
    return f"{parts.scheme}://{host_of(url)}{port}"


def host_of(url: str) -> str:
    """Return the host of a URL as in a Host header, without the port; "" for none."""
    parts = split(url, "", *PORTS)
    name = parts.hostname or "" if parts else ""
    return f"[{name}]" if ":" in name else name


def passkey_origin(site: str) -> str:
    """Return the origin where browsers allow passkeys for the service at `site`; "" for none.

    Passkeys need a host name and a secure context (WebAuthn Level 3, 5.1.3): no IP address, and
    plain http only on localhost. A service on a loopback address is also reachable as localhost.
    """
    parts = urlsplit(site)
    host = parts.hostname or ""
    if host_of(site) in LOOPBACK_HOSTS:
        return f"{parts.scheme}://localhost" + (f":{parts.port}" if parts.port else "")
    by_name = not _is_address(host)
    secure = parts.scheme == "https" or host.endswith(".localhost")
    return site if by_name and secure else ""


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def public(url: str) -> str:
    """Return the URL without the user name and password before the host."""
    return re.sub(".*@", "...@", url)
