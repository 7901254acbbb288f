"""`make bench`: the table of ratios. BENCH_ROUNDS, BENCH_REQUESTS and BENCH_TASKS set its size."""

import os
from contextlib import ExitStack
from typing import Any

import config
from bench import data, measure, servers
from bench.loops import FLOOR_LOOPS, LOOPS, Maker
from bench.measure import Service

TASKS = int(os.environ.get("BENCH_TASKS", "50000"))
HEADS = ("CPU s / 1,000 requests", "floor", "service", "ratio", "budget", "req/s", "p50 ms", "p99")
MEMORY_BUDGET, IMPORT_BUDGET = 110, 0.6  # MiB, s


def main() -> None:
    with servers.database() as url, ExitStack() as stack:
        environ = servers.environ_of(url)
        servers.migrate(environ)
        filled = data.fill(url, TASKS, config.load(environ))
        floor = stack.enter_context(
            servers.serving("bench.floor:application", {"DATABASE_URL": url})
        )
        service = stack.enter_context(
            servers.serving("run:app", environ, config="gunicorn.conf.py")
        )
        maker = Maker(filled)
        services = [Service(floor, maker, FLOOR_LOOPS), Service(service, maker, LOOPS)]
        theirs, ours = measure.in_turn(services, LOOPS)
        rows = table(theirs, ours)
        extra = {
            "304_of_200": measure.ratio(ours["304"], ours["get one"]),
            "memory_mib": service.memory(),
            "import_cpu_s": servers.import_cpu(environ),
            "import_of_libraries_cpu_s": servers.import_cpu(environ, servers.LIBRARIES),
        }
    show(rows, extra)
    result = {"machine": measure.machine(), "tasks": TASKS, "loops": rows, **extra}
    measure.keep("latest", result)


def table(
    floor: dict[str, list[measure.Row]], service: dict[str, list[measure.Row]]
) -> dict[str, dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = {}
    for loop in LOOPS:
        ours, theirs = service[loop.name], floor.get(loop.beside)
        row: dict[str, Any] = {"floor": None, "ratio": None, "budget": loop.budget or None}
        if theirs:
            row["floor"] = measure.medians(theirs)["cpu"]
            row["ratio"] = measure.ratio(ours, theirs)
        rows[loop.name] = {**row, **measure.medians(ours)}
    return rows


def show(rows: dict[str, dict[str, Any]], extra: dict[str, float]) -> None:
    print(("{:<24}" + "{:>9}" * 7).format(*HEADS))
    for name, row in rows.items():
        shown = [row["floor"], row["cpu"], row["ratio"], row["budget"]]
        shown += [row["rate"], row["p50"], row["p99"]]
        forms = ("{:.3f}", "{:.3f}", "{:.2f}", "{:.2f}", "{:.0f}", "{:.2f}", "{:.2f}")
        cells = [form.format(one) if one else "" for form, one in zip(forms, shown, strict=True)]
        print(f"{name:<24}" + "".join(f"{cell:>9}" for cell in cells))
    print(f"\n304 beside the 200: {extra['304_of_200']:.2f}")
    print(f"master and two workers: {extra['memory_mib']:.0f} MiB (budget {MEMORY_BUDGET})")
    print(
        f"import of the app: {extra['import_cpu_s']:.2f} s of CPU (budget {IMPORT_BUDGET}),", end=""
    )
    print(f" of its libraries alone: {extra['import_of_libraries_cpu_s']:.2f}")


if __name__ == "__main__":
    main()
