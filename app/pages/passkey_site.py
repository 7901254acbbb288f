"""The site of passkeys: browsers bind passkeys to a host name (WebAuthn Level 3, 5.1.3)."""

from urllib.parse import urlsplit

from flask import request

from app import settings


def origin() -> str:
    """Return the origin at which passkeys work; "" if browsers allow none."""
    return settings.current().passkey_origin


def is_here() -> bool:
    """Return True if this request came to the host name of the passkeys."""
    here = urlsplit(f"//{request.host}").hostname
    return bool(origin()) and urlsplit(origin()).hostname == here
