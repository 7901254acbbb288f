"""Where requests are counted: in this process, or in Redis for all processes and replicas.

Both count in fixed windows. `hit` returns how many requests the window has seen from one client,
and when the window ends, in Unix seconds.
"""

import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

from app.lazy import lazy_import

if TYPE_CHECKING:
    import redis
else:
    redis = lazy_import("redis")

TIMEOUT = 0.25  # seconds for an answer of Redis
# One script is one atomic step: no key is left without an expiry, and each hit has its own number.
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
    """Counts in this process: one window for all clients, so that old ones need no sweeping."""

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
    """Counts in Redis, by a key for each client that expires with its window."""

    def __init__(self, url: str, amount: int, seconds: int) -> None:
        self.prefix, self.seconds = f"flagstone/{amount}/{seconds}/", seconds
        timeouts = {"socket_timeout": TIMEOUT, "socket_connect_timeout": TIMEOUT}
        self.redis = redis.Redis.from_url(url, **timeouts)
        self.script = self.redis.register_script(HIT)

    def hit(self, client: str) -> tuple[int, float]:
        """Raise redis.RedisError while Redis is away or does not answer in time."""
        count, left = self.script(keys=[self.prefix + client], args=[self.seconds])
        return count, time.time() + left / 1000

    def answers(self) -> bool:
        try:
            return bool(self.redis.ping())
        except redis.RedisError:
            return False
