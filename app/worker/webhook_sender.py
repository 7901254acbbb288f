"""The sender of webhooks: one signed POST to a checked address, with one time limit."""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from urllib.parse import SplitResult, urlsplit

import orjson

from app import product
from app.errors import SendingFailed
from app.models import OutboxEntry, Webhook
from app.models.types import now
from app.services.outbox import outbox
from app.services.shared.encryption import Sealed
from app.services.webhooks import (
    deliveries as webhook_deliveries,
    failures,
    signing_secrets,
    target_urls,
)

TIMEOUT = 15.0  # seconds in total: name, connection, TLS, request and response
USER_AGENT = f"{product.SLUG}-webhooks"
GONE = 410


def send(entry: OutboxEntry) -> int:
    """Send an entry to its webhook and return the status of the response. Raises SendingFailed."""
    webhook = webhook_deliveries.live(entry.webhook_id or "")
    if webhook is None:
        raise SendingFailed("The webhook is switched off.", final=True)
    body = orjson.dumps(webhook_deliveries.payload_of(entry, webhook))
    headers = webhook_deliveries.sign(_secrets(webhook), entry.id, now(), body)
    if entry.request_id:
        headers["X-Request-ID"] = entry.request_id
    try:
        status = post(webhook.url, body, headers)
    except SendingFailed as error:
        failures.failed(webhook.id, gone=error.answer == GONE)
        outbox.postpone(webhook.id, now() + outbox.delay_after(entry.attempts))
        raise
    failures.succeeded(webhook)
    return status


def _secrets(webhook: Webhook) -> list[str]:
    """Return the signing secrets. Raises SendingFailed, not counted as a failing webhook."""
    try:
        return signing_secrets.signing(webhook)
    except Sealed as error:
        raise SendingFailed(
            "The service cannot decrypt the secret of the webhook: ask an admin."
        ) from error


def post(url: str, body: bytes, headers: dict[str, str]) -> int:
    """Send a POST request and return the status of the response, which is 2xx.

    Nothing else of the response is read, and no redirect is followed. Raises SendingFailed.
    """
    ends = time.monotonic() + TIMEOUT
    parts = urlsplit(url)
    try:
        connected = _connect(parts, ends)
        with connected, _ending(connected, ends):
            if isinstance(connected, ssl.SSLSocket):
                connected.do_handshake()
            status = _exchange(parts, connected, body, headers)
    except (OSError, http.client.HTTPException) as error:
        late = time.monotonic() >= ends
        why = "The receiver did not answer in time." if late else str(error) or type(error).__name__
        raise SendingFailed(why) from error
    if not 200 <= status < 300:
        raise SendingFailed(f"The receiver answered with {status}.", status)
    return status


def _connect(parts: SplitResult, ends: float) -> socket.socket:
    """Return a connection to an allowed address. Raises OSError, SendingFailed."""
    if not target_urls.is_port_allowed(target_urls.port_of(parts)):
        raise SendingFailed("The URL uses a port other than 80, 443 and those from 1024 up.")
    found = target_urls.addresses(parts, TIMEOUT / 3)
    if not found:
        raise SendingFailed(
            "The URL points at a private, loopback or link-local address, or a reserved one."
        )
    for address in found[:-1]:
        with suppress(OSError):
            return _open(parts, address, TIMEOUT / 3)
    return _open(parts, found[-1], ends - time.monotonic())


def _open(parts: SplitResult, address: str, seconds: float) -> socket.socket:
    plain = socket.create_connection((address, target_urls.port_of(parts)), max(seconds, 0.1))
    if parts.scheme == "http":
        return plain
    name = parts.hostname
    return _tls().wrap_socket(plain, server_hostname=name, do_handshake_on_connect=False)


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


@contextmanager
def _ending(connected: socket.socket, ends: float) -> Iterator[None]:
    """Shut the connection down at `ends`.

    A socket timeout applies to each read: a slow receiver could hold the connection for ever.
    """

    def cut() -> None:
        with suppress(OSError):
            connected.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(ends - time.monotonic(), cut)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _exchange(
    parts: SplitResult, connected: socket.socket, body: bytes, headers: dict[str, str]
) -> int:
    connection = http.client.HTTPConnection(parts.netloc, timeout=TIMEOUT)
    connection.sock = connected
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    fixed = {"Content-Type": "application/json", "User-Agent": USER_AGENT, "Connection": "close"}
    connection.request("POST", path, body, {**fixed, **headers})
    return connection.getresponse().status
