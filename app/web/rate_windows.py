"""The counters of requests: in this process, or in Redis for all processes and replicas.

Both count in fixed windows. `hit` returns the number of the client's requests in the window, and
the end of the window in Unix seconds.
"""

import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

from app.lazy import lazy_import
from app.product import SLUG

if TYPE_CHECKING:
    import redis
else:
    redis = lazy_import("redis")

TIMEOUT = 0.25  # seconds for an answer of Redis
# Redis runs a script atomically: no key stays without an expiry, and no two hits get one number.
HIT = """
local count = redis.call('INCR', KEYS[1])
local left = redis.call('PTTL', KEYS[1])
if left < 0 then
    left = ARGV[1] * 1000
    redis.call('PEXPIRE', KEYS[1], left)
end
return {count, left}
"""


class LocalWindows:
    """Counters in this process: one window for all clients, so that none must be cleaned up."""

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        self.lock = threading.Lock()
        self.ends, self.counts = 0.0, Counter[str]()

    def hit(self, client: str) -> tuple[int, float]:
        with self.lock:
            now = time.time()
            if now >= self.ends:
                self.ends, self.counts = now + self.seconds, Counter()
            self.counts[client] += 1
            return self.counts[client], self.ends


class RedisWindows:
    """Counters in Redis: a key for each client, which expires with its window."""

    def __init__(self, url: str, amount: int, seconds: int) -> None:
        self.prefix, self.seconds = f"{SLUG}/{amount}/{seconds}/", seconds
        timeouts = {"socket_timeout": TIMEOUT, "socket_connect_timeout": TIMEOUT}
        self.redis = redis.Redis.from_url(url, **timeouts)
        self.script = self.redis.register_script(HIT)

    def hit(self, client: str) -> tuple[int, float]:
        """Count a request. Raises redis.RedisError if Redis does not answer in time."""
        count, left = self.script(keys=[self.prefix + client], args=[self.seconds])
        return count, time.time() + left / 1000

    def answers(self) -> bool:
        try:
            return bool(self.redis.ping())
        except redis.RedisError:
            return False
