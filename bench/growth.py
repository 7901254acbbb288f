"""`make bench-growth`: up to a million tasks, several workers, many connections, a large export.

GROWTH_SIZES sets the numbers of tasks. docs/performance.md explains the results.
"""

import os
import socket
import statistics
import time
from collections import defaultdict
from contextlib import ExitStack
from typing import Any

import config
from app import create_app, sql
from app.services.shared.actor import SYSTEM
from app.services.shared.paging import PageRequest
from app.services.tasks import tasks
from bench import chart, client, data, measure, servers
from bench.data import Data
from bench.loops import LOOPS, TASKS, Loop, Maker

SIZES = [int(size) for size in os.environ.get("GROWTH_SIZES", "1000,50000,1000000").split(",")]
HOT = ("get one", "list 20", "list 20, counted", "search", "create", "patch, If-Match")
HEAVY = 100_000  # tasks of one user, in databases with more than twice as many tasks
DEEP = 200_000  # rows before page 10,000
CONNECTIONS = (1, 2, 4, 8, 16, 32, 64)
WORKERS = (1, 2, 4)
Made = tuple[dict[str, str], Data]  # a database: the settings of its service, and its data


def main() -> None:
    result: dict[str, Any] = {"machine": measure.machine()}
    with servers.database() as url:
        made = [database_of(url, size) for size in SIZES]
        result["sizes"] = hot(made)
        environ, filled = made[-1]
        result["heavy"] = of_heavy(environ, filled)
        result["pages"] = pages(environ)
        result["workers"] = scaling(environ, filled)
    for size, rows in result["sizes"].items():
        print(size, {name: f"{row['cpu']:.3f}" for name, row in rows.items()})
    for name in ("heavy", "pages", "workers"):
        print(name, result[name])
    chart.write(result["workers"])
    measure.keep("growth", result)


def database_of(url: str, size: int) -> Made:
    environ = servers.environ_of(servers.new_database(url, f"of{size}"))
    servers.migrate(environ)
    heavy = HEAVY if size > 2 * HEAVY else 0
    return environ, data.fill(environ["DATABASE_URL"], size, config.load(environ), heavy)


def hot(made: list[Made]) -> dict[int, dict[str, measure.Row]]:
    """Measure the hot loops in turn, so that other load does not look like growth."""
    loops = [loop for loop in LOOPS if loop.name in HOT]
    with ExitStack() as stack:
        services = []
        for environ, filled in made:
            serving = servers.serving("run:app", environ, config="gunicorn.conf.py")
            services.append(measure.Service(stack.enter_context(serving), Maker(filled), loops))
        all_taken = measure.in_turn(services, loops)
    return {
        size: {name: measure.medians(rows) for name, rows in taken.items()}
        for size, taken in zip(SIZES, all_taken, strict=True)
    }


def of_heavy(environ: dict[str, str], filled: Data) -> dict[str, Any]:
    """Return figures of a user with HEAVY tasks: reads, statistics and an export."""
    headers = {"Authorization": f"Bearer {filled.heavy_token}"}
    found: dict[str, Any] = {}
    with servers.serving("run:app", environ, config="gunicorn.conf.py") as server:
        for path in ("?limit=20", "?limit=20&count=true", "?q=paint%20clean", "/stats"):
            sent = client.request("GET", TASKS + path, headers), 200
            loop = Loop(path, lambda _maker, _number, sent=sent: sent)
            measure.once(server, loop, Maker(filled), 8)
            found[path] = measure.once(server, loop, Maker(filled), 60, connections=1)
        found["export"] = export(server, headers)
    return found


def export(server: servers.Server, headers: dict[str, str]) -> dict[str, float]:
    """Return seconds, megabytes, and the growth of the service's memory in MiB."""
    before, most, size = server.memory(), 0.0, 0
    path = f"{TASKS}/export?format=ndjson"
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        sent = {**headers, "Connection": "close"}
        connection.sendall(client.request("GET", path, sent))
        looked = 0.0
        while received := connection.recv(1 << 20):
            size += len(received)
            if time.monotonic() - looked > 0.2:
                looked, most = time.monotonic(), max(most, server.memory())
    return {"seconds": time.monotonic() - started, "mb": size / 1e6, "grown_mib": most - before}


def pages(environ: dict[str, str]) -> dict[str, Any]:
    """Return blocks and milliseconds of the pages 1 and 10,000 of an admin's list of all tasks."""
    app = create_app(config.load(environ))
    found = {}
    with app.app_context():
        link = sql.request_connection()
        link.execute("SET statement_timeout = 0")
        query = "SELECT created_at, id FROM tasks ORDER BY created_at DESC, id DESC OFFSET %s"
        deep = link.execute(f"{query} LIMIT 1", (min(DEEP, SIZES[-1] - 100),)).fetchone()
        execute = link.execute
        for name, after in (("first", None), ("page 10,000", [deep[0].isoformat(), deep[1]])):
            sent: list[Any] = []
            link.execute = lambda *given, sent=sent: sent.append(given) or execute(*given)  # type: ignore[method-assign]
            tasks.page(SYSTEM, PageRequest(after=after), everyone=True)
            statement, params, _ = sent[-1]
            explain = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}"
            explained = execute(explain, params).fetchone()[0][0]
            plan = explained["Plan"]
            blocks = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
            found[name] = {"blocks": blocks, "ms": explained["Execution Time"]}
    return found


def scaling(environ: dict[str, str], filled: Data) -> dict[str, dict[str, float]]:
    """Return requests a second of "get one" by workers and connections, as medians of rounds."""
    loop, maker = LOOPS[0], Maker(filled)
    taken: dict[tuple[int, int], list[float]] = defaultdict(list)
    with ExitStack() as stack:
        running = {}
        for workers in WORKERS:
            settings = {**environ, "WEB_CONCURRENCY": str(workers), "WEB_THREADS": "8"}
            serving = servers.serving("run:app", settings, config="gunicorn.conf.py")
            running[workers] = stack.enter_context(serving)
        for _ in range(measure.ROUNDS + 1):
            for number in CONNECTIONS:
                for workers, server in running.items():
                    row = measure.once(server, loop, maker, measure.REQUESTS, number)
                    taken[workers, number].append(row["rate"])
    return {
        str(workers): {
            str(number): statistics.median(taken[workers, number][1:]) for number in CONNECTIONS
        }
        for workers in WORKERS
    }


if __name__ == "__main__":
    main()
