"""`make bench-compare A=ref B=ref`: two commits side by side; "." is the working tree.

BENCH_LOOPS, names separated by ";", selects the loops.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import config
from bench import data, measure, servers
from bench.loops import LOOPS, Maker
from bench.measure import Service

WANTED = os.environ.get("BENCH_LOOPS", "")
TASKS = int(os.environ.get("BENCH_TASKS", "10000"))
HEAD = "{:<24}{:>12.10}{:>12.10}{:>8}{:>10}{:>10}"
LINE = "{:<24}{:>12.3f}{:>12.3f}{:>8.2f}{:>10.0f}{:>10.0f}"


def main(*refs: str) -> None:
    loops = [loop for loop in LOOPS if not WANTED or loop.name in WANTED.split(";")]
    with servers.database() as url, ExitStack() as stack:
        services = []
        for number, ref in enumerate(refs):
            folder = stack.enter_context(tree(ref))
            environ = servers.environ_of(servers.new_database(url, f"bench{number}"))
            servers.migrate(environ, folder)
            maker = Maker(data.fill(environ["DATABASE_URL"], TASKS, config.load(environ)))
            serving = servers.serving("run:app", environ, config="gunicorn.conf.py", folder=folder)
            services.append(Service(stack.enter_context(serving), maker, loops))
        first, second = measure.in_turn(services, loops)
    print(HEAD.format("CPU s / 1,000 requests", *refs, "B / A", "req/s A", "req/s B"))
    for loop in loops:
        a, b = (measure.medians(rows[loop.name]) for rows in (first, second))
        share = measure.ratio(second[loop.name], first[loop.name])
        print(LINE.format(loop.name, a["cpu"], b["cpu"], share, a["rate"], b["rate"]))


@contextlib.contextmanager
def tree(ref: str) -> Iterator[Path]:
    """Yield a temporary folder with the files of a commit."""
    if ref == ".":
        yield servers.ROOT
        return
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["git", "worktree", "add", "--quiet", "--detach", folder, ref], check=True)
        try:
            yield Path(folder)
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", folder], check=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
