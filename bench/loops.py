"""The loops: the requests that are sent to a service repeatedly."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

import orjson

from bench.client import Request, request
from bench.data import Data

TASKS = "/api/v1/tasks"
_JSON = {"Content-Type": "application/json"}
_NEW = {
    "title": "Write the minutes",
    "description": "of the meeting on Monday, and send them round",
    "priority": "high",
    "labels": ["work", "soon"],
}
_BODY = orjson.dumps(_NEW)
_BULK = orjson.dumps({"operations": [{"op": "create", "data": _NEW}] * 100})


@dataclass(frozen=True)
class Loop:
    """A loop. `budget` is the allowed ratio to the floor's loop `beside` (docs/performance.md)."""

    name: str
    make: Callable[["Maker", int], Request]
    beside: str = ""  # the floor's loop, "" for none
    budget: float = 0.0
    share: float = 1.0  # of the run's requests: a slow loop sends fewer


class Maker:
    """The maker of requests, one for all services that change the same tasks."""

    def __init__(self, data: Data) -> None:
        self.data = data
        self.versions: Counter[str] = Counter()
        self.reads = {"Authorization": f"Bearer {data.reader_token}"}
        self.writes = {"Authorization": f"Bearer {data.writer_token}", **_JSON}
        self.listing = request("GET", f"{TASKS}?limit=20", self.reads)
        self.counted = request("GET", f"{TASKS}?limit=20&count=true", self.reads)
        self.search = request("GET", f"{TASKS}?q=paint%20clean", self.reads)
        self.creation = request("POST", TASKS, self.writes, _BODY)
        self.bulk = request("POST", f"{TASKS}/bulk", self.writes, _BULK)
        self.health = request("GET", "/healthz", {})
        self.page = request("GET", "/tasks", {"Cookie": data.cookie})

    def get_one(self, number: int) -> Request:
        ids = self.data.reader_tasks
        return request("GET", f"{TASKS}/{ids[number % len(ids)]}", self.reads), 200

    def not_modified(self, number: int) -> Request:
        ids = self.data.reader_tasks
        headers = {**self.reads, "If-None-Match": '"1"'}
        return request("GET", f"{TASKS}/{ids[number % len(ids)]}", headers), 304

    def create_keyed(self, _number: int) -> Request:
        headers = {**self.writes, "Idempotency-Key": str(uuid4())}
        return request("POST", TASKS, headers, _BODY), 201

    def patch(self, number: int) -> Request:
        # In turn. Their number is a multiple of the connections', so no two change one task.
        task_id = self.data.writer_tasks[number % len(self.data.writer_tasks)]
        self.versions[task_id] += 1
        headers = {**self.writes, "If-Match": f'"{self.versions[task_id]}"'}
        body = orjson.dumps({"title": f"Renamed {self.versions[task_id]} times"})
        return request("PATCH", f"{TASKS}/{task_id}", headers, body), 200


LOOPS = (
    Loop("get one", Maker.get_one, "get one", 1.45),
    Loop("304", Maker.not_modified),
    Loop("list 20", lambda make, _: (make.listing, 200), "list 20", 1.45),
    Loop("list 20, counted", lambda make, _: (make.counted, 200), "list 20, counted", 1.45),
    Loop("search", lambda make, _: (make.search, 200), "search"),
    Loop("create", lambda make, _: (make.creation, 201), "create", 1.7),
    Loop("create with key", Maker.create_keyed, "create", 2.2),
    Loop("patch, If-Match", Maker.patch, "patch, If-Match", 1.8),
    Loop("bulk, 100 creates", lambda make, _: (make.bulk, 200), "bulk, 100 creates", share=0.02),
    Loop("health", lambda make, _: (make.health, 200), "health", 1.5),
    Loop("task page, HTML", lambda make, _: (make.page, 200), share=0.25),
)
FLOOR_LOOPS = tuple(loop for loop in LOOPS if loop.beside == loop.name)
