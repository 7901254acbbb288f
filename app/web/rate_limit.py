"""How often somebody may ask: RATELIMIT_DEFAULT for each token or page session, else each address.

Counted right across workers and replicas where REDIS_URL is set, for each process else. While Redis
is away each process counts by itself, and says so in the log: an outage of the counter is no outage
of the service. (draft-ietf-httpapi-ratelimit-headers-11)
"""

import logging
import math
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from flask import Flask, current_app

from app.errors import TooManyRequests
from app.lazy import lazy_import
from app.web.middleware import RATE

if TYPE_CHECKING:
    import limits
else:
    limits = lazy_import("limits")  # for Redis alone

SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
RETRY_SHARED = 5.0  # seconds after which Redis is tried again
_log = logging.getLogger("flagstone.ratelimit")


class Limiter:
    """Counts in fixed windows. `rule` is as "1000 per minute"; `redis_url` may be empty."""

    def __init__(self, rule: str, redis_url: str) -> None:
        amount, _, unit = rule.split()
        self.amount, self.seconds = int(amount), SECONDS[unit]
        self.policy = f'"default";q={amount};w={self.seconds}'
        self.local = LocalWindows(self.amount, self.seconds)
        self.shared = _redis(redis_url) if redis_url else None
        self.shared_again = 0.0

    def hit(self, environ: dict[str, Any], who: str) -> None:
        """Count one request of `who`, and tell it in the answer. Raises TooManyRequests."""
        allowed, left, reset = self._count(who)
        wait = max(1, math.ceil(reset - time.time()))
        environ[RATE] = [
            ("RateLimit-Policy", self.policy),
            ("RateLimit", f'"default";r={left};t={wait}'),
        ]
        if not allowed:
            raise TooManyRequests("Too many requests.", wait)

    def _count(self, who: str) -> tuple[bool, int, float]:
        if self.shared is not None and time.monotonic() >= self.shared_again:
            key = f"flagstone/{self.amount}/{self.seconds}/{who}"
            try:
                count = self.shared.incr(key, self.seconds)
                reset = self.shared.get_expiry(key)
            except limits.errors.StorageError:
                self.shared_again = time.monotonic() + RETRY_SHARED
                _log.warning("Redis is away: requests are counted in each process.")
            else:
                left = self.amount - count
                return left >= 0, max(0, left), reset
        return self.local.hit(who)


class LocalWindows:
    """Counts in this process. The library's own memory storage starts a thread every 10 ms."""

    def __init__(self, amount: int, seconds: int) -> None:
        self.amount, self.seconds = amount, seconds
        self.lock = threading.Lock()
        self.ends, self.counts = 0.0, Counter[str]()

    def hit(self, who: str) -> tuple[bool, int, float]:
        """Whether it is allowed, how many are left, and when (Unix seconds) all are there again."""
        with self.lock:
            now = time.time()
            if now >= self.ends:  # one window for all, so that old names need no sweeping
                self.ends, self.counts = now + self.seconds, Counter()
            self.counts[who] += 1
            left = self.amount - self.counts[who]
            return left >= 0, max(0, left), self.ends


def _redis(url: str) -> Any:
    options: Any = {"socket_timeout": 0.25, "socket_connect_timeout": 0.25}  # seconds
    return limits.storage.storage_from_string(url, wrap_exceptions=True, **options)


def init_app(app: Flask) -> None:
    if app.config["RATELIMIT_ENABLED"]:
        limiter = Limiter(app.config["RATELIMIT_DEFAULT"], app.config["REDIS_URL"])
        app.extensions["limiter"] = limiter


def hit(environ: dict[str, Any], who: str) -> None:
    """Count one request of `who`: a token's id, a session's hash, or an address.

    Raises TooManyRequests.
    """
    limiter: Limiter | None = current_app.extensions.get("limiter")
    if limiter is not None:
        limiter.hit(environ, who)
