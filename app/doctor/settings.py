"""Checks of settings that are valid but unsafe in production."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.doctor.finding import Finding, ok, warning
from environment.reader import weakness
from environment.urls import passkey_origin

METRICS_TOKEN_MIN = 16  # characters


def examine(config: Mapping[str, Any]) -> Iterator[Finding]:
    yield ok("settings", f"valid, for {config['APP_ENV']}")
    if config["APP_ENV"] == "production":
        yield from _in_production(config)
    yield ok("REQUIRE_MFA", _required_factor(config["REQUIRE_MFA"], config["REQUIRE_ADMIN_MFA"]))
    yield _passkeys(config["PUBLIC_URL"])
    size, old = len(config["SECRET_KEY"].encode()), len(config["SECRET_KEY_FALLBACKS"])
    yield ok("SECRET_KEY", f"{size} bytes; its age is not recorded: change it once a year")
    if old:
        text = f"holds {old}: remove an earlier key 30 days after the change (docs/operations.md)."
        yield warning("SECRET_KEY_FALLBACKS", text)
    for weak in filter(None, map(weakness, config["SECRET_KEY_FALLBACKS"])):
        text = f"holds a key that {weak}: run flask secrets rotate, and remove it."
        yield warning("SECRET_KEY_FALLBACKS", text)
    if 0 < len(config["METRICS_TOKEN"]) < METRICS_TOKEN_MIN:
        text = f"has fewer than {METRICS_TOKEN_MIN} characters: an attacker can guess it."
        yield warning("METRICS_TOKEN", text)


def _required_factor(everybody: str, admins: str) -> str:
    """Return in words what REQUIRE_MFA and REQUIRE_ADMIN_MFA require: the stricter one applies."""
    if everybody == "all":
        text = "everybody needs a second factor"
        return f"{text}, an admin a passkey" if admins == "passkey" else text
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
        text = "is plain http: others can read passwords and cookies on the network. Use https://."
        yield warning("PUBLIC_URL", text)
    elif not config["PROXY_HOPS"]:
        text = "is 0, but a proxy ends TLS: all clients seem to have the address of the proxy."
        yield warning("PROXY_HOPS", text)
    if not config["REDIS_URL"] and config["RATELIMIT_ENABLED"]:
        text = "is empty: each process counts rates by itself."
        yield warning("REDIS_URL", text)
    if not config["RATELIMIT_ENABLED"]:
        yield warning("RATELIMIT_ENABLED", "is 0: no client has a rate limit.")
    if not config["SECURITY_CONTACT"] or "example." in config["SECURITY_CONTACT"]:
        text = "names nobody: finders of a weakness cannot report it. Set an address that is read."
        yield warning("SECURITY_CONTACT", text)
    if config["WEBHOOK_ALLOW_PRIVATE"]:
        text = "is 1: webhooks reach private servers of this network."
        yield warning("WEBHOOK_ALLOW_PRIVATE", text)
