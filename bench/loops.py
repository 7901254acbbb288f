"""The loops: each sends requests over a few kept connections and checks every answer."""

import http.client
import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import orjson

from bench.data import Data

CONNECTIONS = 4
Request = tuple[str, str, bytes | None, dict[str, str], int]


@dataclass
class Figures:
    requests: int
    seconds: float
    latencies: list[float]

    def percentile(self, share: float) -> float:
        """Milliseconds."""
        return sorted(self.latencies)[int(len(self.latencies) * share)] * 1000


def run(port: int, data: Data, make: Callable[[int], Request], count: int) -> Figures:
    """`count` requests, made by `make` from their number."""
    numbers = itertools.count()
    latencies: list[float] = []
    faults: list[str] = []

    def work() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        while (number := next(numbers)) < count and not faults:
            method, path, body, headers, expected = make(number)
            headers = {"Authorization": f"Bearer {data.token}", **headers}
            started = time.perf_counter()
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            content = response.read()
            latencies.append(time.perf_counter() - started)
            if response.status != expected:
                faults.append(f"{method} {path}: {response.status} {content[:200]!r}")
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(CONNECTIONS)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise RuntimeError(faults[0])
    return Figures(count, time.perf_counter() - started, latencies)


TASKS = "/api/v1/tasks"
_TYPE = {"Content-Type": "application/json"}
_NEW = orjson.dumps(
    {
        "title": "Write the minutes",
        "description": "of the meeting on Monday, and send them round",
        "priority": "high",
        "labels": ["work", "soon"],
    }
)


class Loops:
    """One for each service, because a version that was changed is another version."""

    def __init__(self, data: Data) -> None:
        self.ids = data.task_ids
        self.versions = dict.fromkeys(self.ids, 1)

    def get_one(self, number: int) -> Request:
        return "GET", f"{TASKS}/{self.ids[number % len(self.ids)]}", None, {}, 200

    def list_20(self, _number: int) -> Request:
        return "GET", f"{TASKS}?limit=20", None, {}, 200

    def list_20_counted(self, _number: int) -> Request:
        return "GET", f"{TASKS}?limit=20&count=true", None, {}, 200

    def create(self, _number: int) -> Request:
        return "POST", TASKS, _NEW, _TYPE, 201

    def patch(self, number: int) -> Request:
        # Each task in its turn, as often as it takes; far enough apart that no two meet.
        task_id = self.ids[number % len(self.ids)]
        version = self.versions[task_id]
        self.versions[task_id] += 1
        body = orjson.dumps({"title": f"Renamed {number}"})
        return "PATCH", f"{TASKS}/{task_id}", body, {**_TYPE, "If-Match": f'"{version}"'}, 200
