"""The metadata and keys of an OpenID provider (OpenID Connect Discovery 1.0).

Each process caches them for an hour. It fetches the keys again if a token names an unknown one
(OpenID Connect Core 1.0, 10.1.1).
"""

import functools
import time
from typing import Any
from urllib.parse import urlsplit

from app.errors import ProviderAway
from app.services.openid import provider_client
from app.services.openid.provider_client import AWAY
from environment.openid import OpenIdClient

KEPT = 3600.0  # seconds
NEEDED = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class Provider:
    """A provider and its cache. Call its methods within `line.within_time`: they do network I/O."""

    def __init__(self, client: OpenIdClient) -> None:
        self.client = client
        self.line = provider_client.Line()
        self._description: dict[str, Any] | None = None
        self._keys: list[dict[str, Any]] | None = None
        self._read_at = 0.0

    def description(self) -> dict[str, Any]:
        """Return the provider's metadata (Discovery, section 3). Raises ProviderAway."""
        if self._description is None or time.monotonic() - self._read_at > KEPT:
            base = self.client.issuer.removesuffix("/")
            found = provider_client.get(f"{base}/.well-known/openid-configuration")
            self._check(found)
            self._description, self._keys, self._read_at = found, None, time.monotonic()
        return self._description

    def keys(self, *, anew: bool = False) -> list[dict[str, Any]]:
        """Return the provider's public keys as JSON Web Keys (RFC 7517). Raises ProviderAway."""
        address = self.description()["jwks_uri"]
        if self._keys is None or anew:
            found = provider_client.get(address).get("keys")
            if not isinstance(found, list):
                raise ProviderAway(AWAY) from ValueError("no list of keys")
            self._keys = [key for key in found if isinstance(key, dict)]
        return self._keys

    def _check(self, found: dict[str, Any]) -> None:
        """Raise ProviderAway if the metadata has another issuer (Discovery, 4.3) or unsafe URLs."""
        if found.get("issuer") != self.client.issuer:
            raise ProviderAway(AWAY) from ValueError(f"the issuer is {found.get('issuer')!r}")
        optional = ("userinfo_endpoint",) if "userinfo_endpoint" in found else ()
        secure = urlsplit(self.client.issuer).scheme == "https"
        for name in (*NEEDED, *optional):
            address = found.get(name)
            if not isinstance(address, str) or not address.startswith(
                "https://" if secure else ("https://", "http://")
            ):
                raise ProviderAway(AWAY) from ValueError(f"{name} is {address!r}")


@functools.cache
def provider_of(client: OpenIdClient) -> Provider:
    """Return the provider of the process, which caches its metadata."""
    return Provider(client)
