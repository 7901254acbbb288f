"""Idempotency-Key: parsing of the header, and replay of stored responses."""

import hashlib
import re
from collections.abc import Callable

from flask import Request, Response

from app.api.http import multipart, request_parsing
from app.errors import IdempotencyNotSupported, Malformed
from app.models.idempotency_record import KEY_MAX
from app.services.shared import idempotency
from app.services.shared.actor import Actor
from app.services.shared.idempotency import Answer

_KEPT_HEADERS = ("Content-Type", "Location", "ETag", "Cache-Control", "Vary")
_QUOTED = re.compile(r'"((?:[\x21\x23-\x5b\x5d-\x7e]|\\["\\])+)"')  # RFC 9651, 3.3.3
_BARE = re.compile(r"[\x21\x23-\x7e][\x21-\x7e]*")


def key_of(request: Request) -> str | None:
    """Return the key, the same whether quoted or bare, or None. Raises Malformed."""
    header = request.environ.get("HTTP_IDEMPOTENCY_KEY")
    if header is None:
        return None
    header = header.strip()
    if quoted := _QUOTED.fullmatch(header):
        key = re.sub(r"\\(.)", r"\1", quoted[1])
    elif _BARE.fullmatch(header):
        key = header
    else:
        key = ""
    if not 1 <= len(key) <= KEY_MAX:
        raise Malformed(f"An Idempotency-Key must have 1 to {KEY_MAX} visible ASCII characters.")
    return key


def refuse(request: Request) -> None:
    """Raise IdempotencyNotSupported for a POST with a key."""
    if request.method == "POST" and "HTTP_IDEMPOTENCY_KEY" in request.environ:
        raise IdempotencyNotSupported("This operation takes no Idempotency-Key.")


def replay_or_run(
    request: Request, actor: Actor, key: str, view: Callable[[], Response]
) -> Response:
    """Return the stored response of the key, byte for byte, or else run the view and store it."""

    fresh: list[Response] = []

    def answer() -> Answer:
        response = view()
        fresh[:] = [response]
        kept = {name: value for name, value in response.headers if name in _KEPT_HEADERS}
        return Answer(response.status_code, kept, response.get_data(as_text=True))

    found, repeated = idempotency.run_once(actor, key, _fingerprint(request), answer)
    if not repeated:
        return fresh[0]
    response = Response(found.body, found.status, found.headers)
    response.headers["Idempotent-Replayed"] = "true"
    return response


def _fingerprint(request: Request) -> str:
    head = f"{request.method} {request.full_path} {request.mimetype}\n"
    is_form = request.mimetype == multipart.MULTIPART
    payload = multipart.fingerprint(request) if is_form else request_parsing.content(request)
    return hashlib.sha256(head.encode() + payload).hexdigest()
