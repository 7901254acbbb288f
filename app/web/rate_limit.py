"""The rate limit: RATELIMIT_DEFAULT for each token or page session, else for each address.

With REDIS_URL all workers and replicas count together, without it each process counts alone. While
Redis is unreachable each process counts alone and logs a warning, so that an outage of Redis is no
outage of the service. (draft-ietf-httpapi-ratelimit-headers-11)
"""

import logging
import math
import time
from typing import TYPE_CHECKING, Any

from flask import Flask, current_app

from app.errors import TooManyRequests
from app.lazy import lazy_import
from app.web.middleware import RATE
from app.web.rate_windows import LocalWindows, RedisWindows

if TYPE_CHECKING:
    import redis
else:
    redis = lazy_import("redis")

SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
RETRY_SHARED = 5.0  # seconds after which Redis is tried again
_log = logging.getLogger("service.ratelimit")


class Limiter:
    """A limit for fixed windows. `rule` is like "1000 per minute"; `redis_url` may be empty."""

    def __init__(self, rule: str, redis_url: str) -> None:
        amount, _, unit = rule.split()
        self.amount, seconds = int(amount), SECONDS[unit]
        self.policy = f'"default";q={amount};w={seconds}'
        self.local = LocalWindows(seconds)
        self.shared = RedisWindows(redis_url, self.amount, seconds) if redis_url else None
        self.shared_again = 0.0

    def hit(self, environ: dict[str, Any], who: str) -> None:
        """Count one request of `who` and add the headers of the limit to the response.

        Raises TooManyRequests.
        """
        count, ends = self._count(who)
        left, wait = max(0, self.amount - count), max(1, math.ceil(ends - time.time()))
        environ[RATE] = [
            ("RateLimit-Policy", self.policy),
            ("RateLimit", f'"default";r={left};t={wait}'),
        ]
        if count > self.amount:
            raise TooManyRequests("Too many requests.", wait)

    def _count(self, who: str) -> tuple[int, float]:
        if self.shared is not None and time.monotonic() >= self.shared_again:
            try:
                return self.shared.hit(who)
            except redis.RedisError:
                self.shared_again = time.monotonic() + RETRY_SHARED
                _log.warning("Redis is away: requests are counted in each process.")
        return self.local.hit(who)


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
