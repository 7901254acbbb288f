"""How people sign in through an OpenID provider: all of it is set, or nothing."""

from settings.reader import Reader
from settings.urls import LOOPBACK_HOSTS, host_of, public, split

REQUIRED = ("OIDC_ISSUER", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET")
ISSUER_MAX = 255  # the column of identities


def read_openid(reader: Reader) -> dict[str, str]:
    values = {name: reader.text(name) for name in REQUIRED}
    if any(values.values()):
        for name in (name for name, value in values.items() if not value):
            reader.fault(name, "is missing", "set it beside the other OIDC_ settings.")
    issuer = values["OIDC_ISSUER"]
    if issuer and not _is_issuer(issuer):
        mend = "set https and what the provider calls itself, as https://id.example.org/realms/a."
        reader.fault("OIDC_ISSUER", f"is {public(issuer)!r}", mend)
    return {**values, "OIDC_NAME": reader.text("OIDC_NAME", "OpenID")}


def _is_issuer(value: str) -> bool:
    """OpenID Connect Discovery 1.0, section 3: https, without query and fragment."""
    parts = split(value, "http", "https")
    return (
        parts is not None
        and (parts.scheme == "https" or host_of(value) in LOOPBACK_HOSTS)
        and not set(value) & set("@?# ")
        and len(value) <= ISSUER_MAX
    )
