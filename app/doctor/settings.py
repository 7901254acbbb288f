"""Settings that are valid, and yet not what a service in production should have."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.doctor.finding import Finding, ok, warning
from settings.reader import weakness
from settings.urls import passkey_origin

METRICS_TOKEN_MIN = 16  # characters


def examine(config: Mapping[str, Any]) -> Iterator[Finding]:
    yield ok("settings", f"valid, for {config['APP_ENV']}")
    if config["APP_ENV"] == "production":
        yield from _in_production(config)
    yield ok("REQUIRE_MFA", _who_needs_a_factor(config["REQUIRE_MFA"], config["REQUIRE_ADMIN_MFA"]))
    yield _passkeys(config["PUBLIC_URL"])
    size, old = len(config["SECRET_KEY"].encode()), len(config["SECRET_KEY_FALLBACKS"])
    yield ok("SECRET_KEY", f"{size} bytes; how old it is nobody notes, so change it once a year")
    if old:
        text = f"holds {old}: remove an earlier key 30 days after the change (docs/operations.md)."
        yield warning("SECRET_KEY_FALLBACKS", text)
    for weak in filter(None, map(weakness, config["SECRET_KEY_FALLBACKS"])):
        text = f"holds a key that {weak}: run flask secrets rotate, and remove it."
        yield warning("SECRET_KEY_FALLBACKS", text)
    if 0 < len(config["METRICS_TOKEN"]) < METRICS_TOKEN_MIN:
        text = f"is shorter than {METRICS_TOKEN_MIN} characters: it can be guessed."
        yield warning("METRICS_TOKEN", text)


def _who_needs_a_factor(everybody: str, admins: str) -> str:
    """What REQUIRE_MFA and REQUIRE_ADMIN_MFA say together: the stricter of the two holds."""
    if everybody == "all":
        told = "everybody needs a second factor"
        return f"{told}, an admin a passkey" if admins == "passkey" else told
    if admins == "passkey":
        return "an admin needs a passkey"
    if everybody == "admins":
        return "an admin needs a second factor"
    if admins == "1":
        return "an admin without a second factor has no admin's rights (REQUIRE_ADMIN_MFA)"
    return "nobody needs a second factor"


def _passkeys(site: str) -> Finding:
    if origin := passkey_origin(site):
        return ok("passkeys", f"work at {origin}")
    text = "do not work at PUBLIC_URL: browsers ask for a host name and https, or localhost."
    return warning("passkeys", text)


def _in_production(config: Mapping[str, Any]) -> Iterator[Finding]:
    if not config["HTTPS"]:
        text = "is plain http: passwords and cookies can be read on their way. Set https://..."
        yield warning("PUBLIC_URL", text)
    elif not config["PROXY_HOPS"]:
        text = "is 0, and who ends TLS is a proxy: everybody seems to come from its address."
        yield warning("PROXY_HOPS", text)
    if not config["REDIS_URL"] and config["RATELIMIT_ENABLED"]:
        text = "is empty: each process counts rates for itself alone."
        yield warning("REDIS_URL", text)
    if not config["RATELIMIT_ENABLED"]:
        yield warning("RATELIMIT_ENABLED", "is 0: nobody is held to a rate.")
    if not config["SECURITY_CONTACT"] or "example." in config["SECURITY_CONTACT"]:
        text = "names nobody: who finds a weakness cannot report it. Set an address that is read."
        yield warning("SECURITY_CONTACT", text)
    if config["WEBHOOK_ALLOW_PRIVATE"]:
        text = "is 1: webhooks reach what only this network should."
        yield warning("WEBHOOK_ALLOW_PRIVATE", text)
