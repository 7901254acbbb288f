"""`make bench RIVALS=1`: this service beside the rivals, with the ratio of their costs.

BENCH_RIVALS, names separated by ";", selects the rivals.
"""

import json
import os
import subprocess
from contextlib import AbstractContextManager, ExitStack

import config
from bench import data, measure, servers
from bench.data import Data
from bench.loops import LOOPS, Maker
from bench.measure import Service
from bench.servers import Server

NAMES = os.environ.get("BENCH_RIVALS", "smorest;drf;fast_api;lite_star").split(";")
# The server of a rival that does not run under Gunicorn.
ASYNCHRONOUS = {
    "fast_api": ["uvicorn", "--no-access-log", "--log-level", "warning"],
    "lite_star": ["granian", "--interface", "asgi", "--no-ws", "--log-level", "warning"],
}
WANTED = ("get one", "list 20, counted", "create", "patch, If-Match")
PYTHON = servers.ROOT / "bench" / "rivals" / ".venv" / "bin" / "python"
TASKS = int(os.environ.get("BENCH_TASKS", "50000"))
SERVICES = len(NAMES) + 1
HEAD = "{:<24}" + "{:>10}" * (2 * SERVICES + 1)
LINE = "{:<24}" + "{:>10.3f}" * SERVICES + "{:>10.2f}" + "{:>10.0f}" * SERVICES


def main() -> None:
    loops = [loop for loop in LOOPS if loop.name in WANTED]
    with servers.database() as url, ExitStack() as stack:
        environ = servers.environ_of(servers.new_database(url, "service"))
        servers.migrate(environ)
        filled = data.fill(environ["DATABASE_URL"], TASKS, config.load(environ))
        own = servers.serving("run:app", environ, config="gunicorn.conf.py")
        services = [Service(stack.enter_context(own), Maker(filled), loops)]
        for name in NAMES:
            environ = {"DATABASE_URL": servers.new_database(url, name)}
            maker = Maker(fill(name, environ))
            services.append(Service(stack.enter_context(serving(name, environ)), maker, loops))
        ours, *theirs = measure.in_turn(services, loops)
    heads = ("CPU s / 1,000 requests", "service", *NAMES, "best/us", "req/s", *NAMES)
    print(HEAD.format(*heads))
    table = {}
    for loop in loops:
        rows = [measure.medians(taken[loop.name]) for taken in (ours, *theirs)]
        best = min(measure.ratio(taken[loop.name], ours[loop.name]) for taken in theirs)
        cpus, rates = [row["cpu"] for row in rows], [row["rate"] for row in rows]
        print(LINE.format(loop.name, *cpus, best, *rates))
        table[loop.name] = {"cpu": cpus, "rate": rates, "best_to_ours": best}
    result = {"machine": measure.machine(), "services": ["service", *NAMES], "loops": table}
    measure.keep("rivals", result)


def serving(name: str, environ: dict[str, str]) -> AbstractContextManager[Server]:
    target = f"bench.rivals.{name}:application"
    if name not in ASYNCHRONOUS:
        return servers.serving(target, environ, python=str(PYTHON))
    port = servers.free_port()
    command = [str(PYTHON), "-m", *ASYNCHRONOUS[name], target, "--port", str(port)]
    return servers.started([*command, "--workers", str(servers.WORKERS)], port, environ)


def fill(name: str, environ: dict[str, str]) -> Data:
    command = [str(PYTHON), "-m", f"bench.rivals.{name}", str(TASKS)]
    environ = {**os.environ, **environ}
    done = subprocess.run(
        command, env=environ, cwd=servers.ROOT, check=True, capture_output=True, text=True
    )
    return Data(*json.loads(done.stdout))


if __name__ == "__main__":
    main()
