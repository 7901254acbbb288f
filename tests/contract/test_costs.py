"""The cost of each operation without a clock: round trips to PostgreSQL and function calls.

tests/costs.json holds the figures; `make costs` rewrites them. The test fails for more round trips
and for 10 % more calls: an intended change rewrites the file and is reviewed.
"""

import gc
import io
import json
import logging
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import EnvironBuilder

from app.logs import JsonFormatter
from app.models.types import uuid7
from app.services.access import token_pairs
from app.services.shared.actor import Actor
from app.services.tasks import tasks
from app.sql import RequestConnection
from tests.conftest import PASSWORD, MakePerson
from tests.support.databases import Database

BASELINE = Path(__file__).parents[1] / "costs.json"
PYTHON = ".".join(platform.python_version_tuple()[:2])
SLACK = 1.1
NEW = {"title": "Write the minutes", "priority": "high", "labels": ["work", "soon"]}
Costs = dict[str, int]


class Bench:
    """A client of the WSGI application that counts its work in this thread."""

    def __init__(self, app: Flask, token: str, task_id: str) -> None:
        self.app, self.token, self.task_id = app, token, task_id
        self.version = 1
        self.trips = 0

    def environ(self, operation: str) -> dict[str, Any]:
        """Return the environment of a new request."""
        method, path, options = OPERATIONS[operation](self)
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        return EnvironBuilder(path, method=method, headers=headers, **options).get_environ()

    def cost(self, operation: str) -> Costs:
        """Return the least cost of several requests, without work that is done only once."""
        found = [self.once(operation) for _ in range(6)]
        return {name: min(one[name] for one in found[2:]) for name in found[0]}

    def once(self, operation: str) -> Costs:
        environ = self.environ(operation)
        calls = self.trips = 0
        statuses = []

        def count(_frame: object, event: str, _argument: object) -> None:
            nonlocal calls
            calls += event in ("call", "c_call")

        gc.disable()
        sys.setprofile(count)
        answer = self.app.wsgi_app(environ, lambda status, *_: statuses.append(status))  # type: ignore[arg-type]
        sys.setprofile(None)
        gc.enable()
        body = b"".join(answer)
        assert statuses[0][0] in "23", (statuses, body)
        return {"calls": calls, "trips": self.trips}


def patch(bench: Bench) -> tuple[str, str, dict[str, Any]]:
    headers = {"If-Match": f'"{bench.version}"'}
    bench.version += 1
    options = {"json": {"title": f"Renamed {bench.version}"}, "headers": headers}
    return "PATCH", f"/api/v1/tasks/{bench.task_id}", options


OPERATIONS: dict[str, Callable[[Bench], tuple[str, str, dict[str, Any]]]] = {
    "health": lambda _: ("GET", "/healthz", {}),
    "get one": lambda b: ("GET", f"/api/v1/tasks/{b.task_id}", {}),
    "304": lambda b: (
        "GET",
        f"/api/v1/tasks/{b.task_id}",
        {"headers": {"If-None-Match": f'"{b.version}"'}},
    ),
    "list 20": lambda _: ("GET", "/api/v1/tasks?limit=20", {}),
    "list 20, counted": lambda _: ("GET", "/api/v1/tasks?limit=20&count=true", {}),
    "search": lambda _: ("GET", "/api/v1/tasks?q=minutes", {}),
    "create": lambda _: ("POST", "/api/v1/tasks", {"json": NEW}),
    "create with key": lambda _: (
        "POST",
        "/api/v1/tasks",
        {"json": NEW, "headers": {"Idempotency-Key": uuid7()}},
    ),
    "patch": patch,
    "bulk, 10 creates": lambda _: (
        "POST",
        "/api/v1/tasks/bulk",
        {"json": {"operations": [{"op": "create", "data": NEW}] * 10}},
    ),
}


@pytest.fixture
def bench(
    postgresql_database: Database, make_person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> Bench:
    app = postgresql_database.app
    ann = make_person("ann")
    with app.app_context():
        made = [tasks.create(ann, {"title": f"Minutes {n}"}) for n in range(30)]
        token = token_pairs.sign_in(Actor(), "ann", PASSWORD).access_token
    bench = Bench(app, token, made[0].id)
    execute = RequestConnection._execute

    def counted(link: RequestConnection, *given: Any) -> Any:
        bench.trips += 1
        return execute(link, *given)

    monkeypatch.setattr(RequestConnection, "_execute", counted)
    # Earlier tests may leave a handler with a closed output, which reports an error at each line.
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(JsonFormatter())
    log = logging.getLogger("service.request")
    monkeypatch.setattr(log, "handlers", [handler])
    monkeypatch.setattr(log, "level", logging.INFO)
    return bench


@pytest.fixture
def app(postgresql_database: Database) -> Flask:
    """The app on PostgreSQL alone."""
    postgresql_database.empty()
    return postgresql_database.app


def test_no_operation_costs_more_than_it_did(bench: Bench) -> None:
    costs = {operation: bench.cost(operation) for operation in OPERATIONS}
    if os.environ.get("WRITE_COSTS"):
        BASELINE.write_text(json.dumps({"python": PYTHON, "costs": costs}, indent=2) + "\n")
    kept = json.loads(BASELINE.read_text())
    for operation, cost in costs.items():
        known = kept["costs"][operation]
        assert cost["trips"] <= known["trips"], operation
        if kept["python"] == PYTHON:  # other versions make other calls
            assert cost["calls"] <= known["calls"] * SLACK, operation
