"""Where passkeys work: browsers bind them to a host name (WebAuthn Level 3, 5.1.3)."""

from urllib.parse import urlsplit

from flask import request

from app import settings


def origin() -> str:
    """The origin at which they work; "" where browsers allow none."""
    return settings.current().passkey_origin


def is_here() -> bool:
    """True if the page of this request is served at that host name."""
    here = urlsplit(f"//{request.host}").hostname
    return bool(origin()) and urlsplit(origin()).hostname == here
