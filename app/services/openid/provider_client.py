"""HTTP calls to an OpenID provider, with a time limit for all calls of one use case."""

import functools
import json
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import httpx

from app.errors import ProviderAway

T = TypeVar("T")
TIMEOUT = 5.0  # seconds for all calls of one use case
PAUSE = 3.0  # seconds without calls after a failure of the provider
ANSWER_MAX = 2**20  # bytes
AWAY = "The sign-in service cannot be reached or sends invalid answers."
THREADS = 4  # for each provider, so that a slow one occupies no more


class Declined(ProviderAway):
    """An answer of the provider that rejects what the browser sent.

    It does not close the line: a client that sends invalid data could lock out all others.
    """


class Line:
    """The circuit breaker of one provider: open for PAUSE after a failure."""

    def __init__(self) -> None:
        self._failed_at: float | None = None
        # Threads, because no socket timeout bounds name resolution or a server that sends a byte a
        # second. Each provider has its own threads, so that one that hangs does not block another.
        self._threads = ThreadPoolExecutor(THREADS, "openid")

    def within_time(self, work: Callable[[], T]) -> T:
        """Run `work`, which uses neither the database nor Flask's contexts, and return its result.

        Raises ProviderAway after TIMEOUT, and at once within PAUSE after a failure.
        """
        if self._failed_at is not None and time.monotonic() - self._failed_at < PAUSE:
            raise ProviderAway(AWAY)
        future: Future[T] = self._threads.submit(work)
        try:
            result = future.result(TIMEOUT)
        except TimeoutError as error:
            future.cancel()
            self._failed_at = time.monotonic()
            raise ProviderAway(AWAY) from error
        except Declined:
            raise
        except ProviderAway:
            self._failed_at = time.monotonic()
            raise
        self._failed_at = None
        return result


def get(url: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
    """Return the JSON object at `url`. Raises ProviderAway."""
    status, found = _call("GET", url, headers or {}, "")
    if status != 200:
        raise ProviderAway(AWAY) from ValueError(f"{url} answered {status}")
    return found


def post(url: str, headers: dict[str, str], form: str) -> tuple[int, dict[str, Any]]:
    """Send a form and return the status and the JSON object. Raises ProviderAway."""
    return _call("POST", url, headers, form)


def _call(method: str, url: str, headers: dict[str, str], form: str) -> tuple[int, dict[str, Any]]:
    headers = {"Accept": "application/json", **headers}
    try:
        with _client().stream(method, url, headers=headers, content=form.encode()) as answer:
            body = _read(answer)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ProviderAway(AWAY) from error
    if answer.status_code >= 500:
        raise ProviderAway(AWAY) from ValueError(f"{url} answered {answer.status_code}")
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        if answer.is_client_error:
            return answer.status_code, {}
        raise ProviderAway(AWAY) from error
    if not isinstance(found, dict):
        raise ProviderAway(AWAY) from ValueError(f"{url} answered with no JSON object")
    return answer.status_code, found


def _read(answer: httpx.Response) -> bytes:
    body, ends = b"", time.monotonic() + TIMEOUT
    for chunk in answer.iter_bytes():
        body += chunk
        if len(body) > ANSWER_MAX or time.monotonic() > ends:
            raise ProviderAway(AWAY) from ValueError(f"{answer.url} sends too much or too slowly")
    return body


@functools.cache
def _client() -> httpx.Client:
    # No keep-alive: the provider closes idle connections between two sign-ins.
    limits = httpx.Limits(max_keepalive_connections=0)
    return httpx.Client(timeout=TIMEOUT, limits=limits, follow_redirects=False)
