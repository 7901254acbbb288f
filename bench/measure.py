"""The measurement: rounds of each loop on each service in turn, and medians of the rounds."""

import json
import os
import platform
import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psutil

from bench import client
from bench.loops import Loop, Maker
from bench.servers import ROOT, Server

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
REQUESTS = int(os.environ.get("BENCH_REQUESTS", "1500"))
CONNECTIONS = int(os.environ.get("BENCH_CONNECTIONS", "4"))
Row = dict[str, float]  # cpu (ms a request = s per 1,000), rate (a second), p50, p99 (ms)


@dataclass
class Service:
    """A measured service. Services that change the same tasks share a maker."""

    server: Server
    maker: Maker
    loops: Sequence[Loop]


def in_turn(services: Sequence[Service], loops: Sequence[Loop]) -> list[dict[str, list[Row]]]:
    """Return each service's rows of every loop, without a first round that warms up."""
    taken: list[dict[str, list[Row]]] = [defaultdict(list) for _ in services]
    for number in range(ROUNDS + 1):
        for loop in loops:
            for service, rows in zip(services, taken, strict=True):
                if loop in service.loops:
                    count = REQUESTS if number else REQUESTS // 5
                    rows[loop.name].append(once(service.server, loop, service.maker, count))
    return [{name: rows[1:] for name, rows in of_service.items()} for of_service in taken]


def once(
    server: Server, loop: Loop, maker: Maker, requests: int, connections: int = CONNECTIONS
) -> Row:
    count = max(int(requests * loop.share), connections)
    before = server.cpu()
    figures = client.run(server.port, lambda number: loop.make(maker, number), count, connections)
    return {
        "cpu": (server.cpu() - before) / count * 1000,
        "rate": count / figures.seconds,
        "p50": figures.percentile(0.5),
        "p99": figures.percentile(0.99),
    }


def medians(rows: Sequence[Row]) -> Row:
    return {name: statistics.median(row[name] for row in rows) for name in rows[0]}


def ratio(ours: Sequence[Row], theirs: Sequence[Row]) -> float:
    """Return the median ratio of CPU per round: a disturbance often hits both services."""
    return statistics.median(a["cpu"] / b["cpu"] for a, b in zip(ours, theirs, strict=True))


def machine() -> dict[str, Any]:
    return {
        "cpus": psutil.cpu_count(),
        "processor": platform.processor() or platform.machine(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load": psutil.getloadavg()[0],
        "rounds": ROUNDS,
        "requests": REQUESTS,
        "connections": CONNECTIONS,
    }


def keep(name: str, result: dict[str, Any]) -> None:
    """Write the result as JSON to bench/results."""
    folder = ROOT / "bench" / "results"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(result, indent=2))
