"""The settings of the OpenID providers.

One provider needs no name: OIDC_ISSUER, OIDC_CLIENT_ID and so on. OIDC_PROVIDERS names others, and
each name is part of that provider's settings: OIDC_GOOGLE_ISSUER for "google".
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from environment.reader import Reader
from environment.urls import LOOPBACK_HOSTS, host_of, public, split

REQUIRED = ("ISSUER", "CLIENT_ID", "CLIENT_SECRET")
ISSUER_MAX = 255  # the length of the database column
SCOPE = "openid email profile"
_KEY = re.compile(r"[a-z][a-z0-9]{0,30}")
_SCOPES = re.compile(r"[!#-\[\]-~]+( [!#-\[\]-~]+)*")  # RFC 6749, 3.3


@dataclass(frozen=True, kw_only=True)
class OpenIdClient:
    """This service as a client of one OpenID provider."""

    key: str = ""  # the name in OIDC_PROVIDERS, "" for the provider without a name
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    name: str  # of the provider, on its button
    scope: str = SCOPE
    admin_groups: tuple[str, ...] = ()  # a member of any of them is an admin
    groups_claim: str = "groups"


def read_openid(reader: Reader) -> dict[str, tuple[OpenIdClient, ...]]:
    """Return {"OIDC_PROVIDERS": the clients in the order of their buttons}."""
    found = [_read(reader, key) for key in ("", *_keys(reader))]
    clients = [client for client in found if client is not None]
    # The issuer identifies linked accounts, the name identifies a button.
    _require_different(reader, "issuer", (client.issuer for client in clients if client.issuer))
    _require_different(reader, "button", (client.name for client in clients), str.casefold)
    return {"OIDC_PROVIDERS": tuple(clients)}


def _keys(reader: Reader) -> list[str]:
    keys = [word.lower() for word in reader.words("OIDC_PROVIDERS")]
    for key in keys:
        if not _KEY.fullmatch(key):
            mend = "set names of letters and digits, as google,staff."
            reader.fault("OIDC_PROVIDERS", f"has {key!r}", mend)
    _require_different(reader, "name", keys)
    return list(dict.fromkeys(key for key in keys if _KEY.fullmatch(key)))


def _require_different(
    reader: Reader, what: str, values: Iterable[str], same: Callable[[str], str] = str
) -> None:
    seen: set[str] = set()
    for value in values:
        if same(value) in seen:
            wrong = f"gives the {what} {public(value)} to two providers"
            reader.fault("OIDC_PROVIDERS", wrong, "make them different.")
        seen.add(same(value))


def _read(reader: Reader, key: str) -> OpenIdClient | None:
    prefix = f"OIDC_{key.upper()}_" if key else "OIDC_"
    required = {name: reader.text(prefix + name) for name in REQUIRED}
    client = OpenIdClient(
        key=key,
        issuer=required["ISSUER"],
        client_id=required["CLIENT_ID"],
        client_secret=required["CLIENT_SECRET"],
        name=reader.text(f"{prefix}NAME", key.capitalize() or "OpenID"),
        scope=_scope(reader, f"{prefix}GROUPS_SCOPE"),
        admin_groups=tuple(reader.words(f"{prefix}ADMIN_GROUPS")),
        groups_claim=reader.text(f"{prefix}GROUPS_CLAIM", "groups"),
    )
    if not key and not any(required.values()) and not client.admin_groups:
        return None
    mend = f"set it, or take {key} out of OIDC_PROVIDERS." if key else ""
    for name in (name for name, value in required.items() if not value):
        reader.fault(prefix + name, "is missing", mend or "set it beside the other OIDC_ settings.")
    if client.issuer and not _is_issuer(client.issuer):
        mend = "set https and what the provider calls itself, as https://id.example.org/realms/a."
        reader.fault(f"{prefix}ISSUER", f"is {public(client.issuer)!r}", mend)
    return client


def _scope(reader: Reader, name: str) -> str:
    more = reader.text(name)
    if more and not _SCOPES.fullmatch(more):
        reader.fault(name, f"is {more!r}", "set what the provider calls it, as groups.")
    return f"{SCOPE} {more}".strip()


def _is_issuer(value: str) -> bool:
    """Return True for https without query and fragment (OpenID Connect Discovery 1.0, 3)."""
    parts = split(value, "http", "https")
    return (
        parts is not None
        and (parts.scheme == "https" or host_of(value) in LOOPBACK_HOSTS)
        and not set(value) & set("@?# ")
        and len(value) <= ISSUER_MAX
    )
