"""Checks of the other servers: Redis, the mail server, the OpenID providers."""

import os
import smtplib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import Flask

from app import settings
from app.doctor.finding import Finding, fault, ok, warning
from app.errors import ProviderAway
from app.lazy import lazy_import
from app.web.rate_limit import Limiter
from app.worker.mail_transports import connect
from environment.openid import OpenIdClient
from environment.urls import public

if TYPE_CHECKING:
    from app.services.openid import provider as openid_provider
else:
    openid_provider = lazy_import("app.services.openid.provider")  # which needs HTTPX

PATIENCE = 5.0  # seconds


def examine(app: Flask) -> Iterator[Finding]:
    yield from _redis(app.config)
    yield from _mail(app.config["MAIL_URL"], app.config["APP_ENV"] == "production")
    for client in settings.current().openid:
        yield _openid(client)


def _redis(config: Mapping[str, Any]) -> Iterator[Finding]:
    """Ping the server of REDIS_URL, even while rate limits are off and nothing uses it."""
    if not config["REDIS_URL"]:
        return
    url = public(config["REDIS_URL"])
    shared = Limiter(config["RATELIMIT_DEFAULT"], config["REDIS_URL"]).shared
    if shared and shared.answers():
        yield ok("Redis", f"answers ({url})")
    else:
        yield fault("Redis", f"does not answer ({url}): each process counts rates for itself.")


def _mail(url: str, in_production: bool) -> Iterator[Finding]:
    if url.startswith("smtp"):
        yield _smtp(url)
    elif url.startswith("file:"):
        folder = url.removeprefix("file:")
        if not os.access(folder, os.W_OK):
            yield fault("mail", f"{folder} is not writable.")
    if in_production and not url.startswith("smtp"):
        yield warning("mail", "no mail is sent: users get no link to set a new password.")


def _smtp(url: str) -> Finding:
    """Connect to the server and sign in, without sending a mail."""
    where = public(url).partition("?")[0]
    try:
        with connect(urlsplit(url), PATIENCE) as server:
            server.ehlo()
    except (OSError, smtplib.SMTPException) as error:
        return fault("mail", f"{where} accepts no mail: {error}")
    return ok("mail", f"{where} accepts mails")


def _openid(client: OpenIdClient) -> Finding:
    """Check the provider's metadata and keys. The client's secret is not tested."""
    what = f"OpenID {client.name}"
    provider = openid_provider.provider_of(client)
    try:
        provider.line.within_time(provider.keys)
    except ProviderAway as error:
        return fault(what, f"{client.issuer} cannot be used: {error.__cause__!r}")
    return ok(what, f"{client.issuer} answers")
