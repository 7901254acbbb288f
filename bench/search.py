"""`make bench-search`: the CPU of a search of 100,000 tasks of one person, on both databases.

Words follow Zipf's law. `older` is in the older half of the tasks and in no other. Milliseconds are
of the service and its database, without HTTP: medians of SEARCH_ROUNDS for SEARCH_TASKS tasks.
"""

import itertools
import os
import random
import statistics
import tempfile
import time
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg2
from flask import Flask
from sqlalchemy import insert

import config
from app import create_app, sql
from app.extensions import db
from app.models import Task, User
from app.models.task import PRIORITIES
from app.models.types import uuid7
from app.services.shared.actor import Actor, scopes_of
from app.services.shared.paging import PageRequest
from app.services.tasks import labels, search, tasks
from bench import data, measure, servers

NUMBER = int(os.environ.get("SEARCH_TASKS", "100000"))
ROUNDS = int(os.environ.get("SEARCH_ROUNDS", "3"))
ANN, BOB = (Actor(id=uuid7(), username=name, scopes=scopes_of("user")) for name in ("ann", "bob"))
START = datetime(2024, 1, 1, tzinfo=UTC)
MIDDLE = START + timedelta(minutes=NUMBER // 2)
SYLLABLES = [a + b for a in "bcdfghklmnprstvz" for b in "aeiou"]
WORDS = ["".join(three) for three in itertools.product(SYLLABLES[::3], repeat=3)]
WEIGHTS = list(itertools.accumulate(1 / rank for rank in range(1, len(WORDS) + 1)))
QUERIES = {
    "one task": "number77777",
    "no task": "nobody",
    "rare": WORDS[5000],
    "common": WORDS[0],
    "two common": f"{WORDS[0]} {WORDS[1]}",
    "one letter": "b",
    "two letters": "ba",
    "Han": "\u8bae",
    "older half": "older",
    "part of older": "olde",
    "oldest 2500": "oldest",
}
FILTERS: dict[str, dict[str, Any]] = {
    "none": {},
    "open": {"status": ["todo", "in_progress"]},
    "closed": {"status": ["done"]},
    "label": {"label": ["home"]},
    "rare label": {"label": ["seldom"]},
    "assignee": {"assignee_id": [BOB.id]},
    "overdue": {"overdue": True},
    "due": {"due_before": MIDDLE},
    "older": {"created_before": MIDDLE},
    "newer": {"created_after": MIDDLE},
    "trash": {"trashed": True},
}
SORTS = ["-created_at", "-updated_at", "title", "due_at", "-priority", "status"]


SORTS = ["-created_at", "-updated_at", "title", "due_at", "-priority", "status"]
Cells = dict[tuple[str, str, str], list[float]]  # first page, later page, first page with a count


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, servers.database() as server:
        urls = {"SQLite": f"sqlite:///{Path(folder) / 'bench.db'}", "PostgreSQL": server}
        apps = {name: filled(url) for name, url in urls.items()}
        result = {name: measured(app) for name, app in apps.items()}
    for name, cells in result.items():
        show(name, cells)
    kept = {name: {", ".join(key): row for key, row in of.items()} for name, of in result.items()}
    measure.keep("search", {"machine": measure.machine(), **kept})


def filled(url: str) -> Flask:
    environ = {**servers.environ_of(url), "ALLOW_SQLITE": "1"}
    servers.migrate(environ)
    app = create_app(config.load(environ))
    users = [data.user_row(number, user.id) for number, user in enumerate((ANN, BOB))]
    names = data.USER_COLUMNS.split(", ")
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(insert(User), [dict(zip(names, user, strict=True)) for user in users])
        for start in range(0, NUMBER, 1000):
            connection.execute(insert(Task), [task(n) for n in range(start, start + 1000)])
    if not url.startswith("sqlite"):
        server = psycopg2.connect(url)
        server.autocommit = True
        server.cursor().execute("VACUUM ANALYZE")
        server.close()
    return app


def task(number: int) -> dict[str, Any]:
    random.seed(number)  # the same tasks on both databases
    moment, old = START + timedelta(minutes=number), number < NUMBER // 2
    words = random.choices(WORDS, cum_weights=WEIGHTS, k=random.randint(4, 20))
    words.insert(3, "older" if old else "newer")
    words += ["oldest"] * (number < NUMBER // 40) + ["\u4f1a\u8bae\u8bb0\u5f55"] * (not number % 9)
    done = random.random() < (0.9 if old else 0.1)
    named = ["home"] * (random.random() < 0.1) + ["seldom"] * (number % 5000 == 7)
    return search.indexed(
        {
            "id": uuid7(),
            "title": " ".join(words[:5]).capitalize(),
            "description": " ".join([*words[5:], f"number{number}"]),
            "status": "done" if done else random.choice(("todo", "cancelled", "in_progress")),
            "priority": random.choice(PRIORITIES),
            "due_at": moment + timedelta(days=9) if random.random() < 0.4 else None,
            "labels": named,
            "label_keys": [labels.key(name) for name in named],
            "owner_id": ANN.id,
            "assignee_id": BOB.id if random.random() < 0.02 else None,
            "completed_at": moment if done else None,
            "created_at": moment,
            "updated_at": moment + timedelta(minutes=random.randint(0, NUMBER)),
            "deleted_at": moment if random.random() < 0.05 else None,
            "version": 1,
        }
    )


def measured(app: Flask) -> Cells:
    taken: dict[tuple[str, str, str], list[list[float]]] = defaultdict(list)
    for _ in range(ROUNDS + 1):
        for key in itertools.product(QUERIES, FILTERS, SORTS):
            taken[key].append(once(app, *key))
    return {
        key: [statistics.median(column) for column in zip(*rows[1:], strict=True)]
        for key, rows in taken.items()
    }


def once(app: Flask, query: str, name: str, sort: str) -> list[float]:
    matching = {"q": QUERIES[query], **FILTERS[name]}
    with app.app_context():
        server = backend()
        later = tasks.page(ANN, PageRequest(100), filters=matching, sort=sort).last
        marks = [cpu(server)]
        for request in (PageRequest(), PageRequest(after=later), PageRequest(count=True)):
            tasks.page(ANN, request, filters=matching, sort=sort)
            marks.append(cpu(server))
    return [(after - before) * 1000 for before, after in itertools.pairwise(marks)]


def backend() -> Path | None:
    """Return the kernel's figures of PostgreSQL's process for this connection."""
    if db.engine.dialect.name == "sqlite":
        return None
    cursor = sql.request_connection().execute("SELECT pg_backend_pid()")
    (pid,) = cursor.fetchone()
    cursor.close()
    return Path(f"/proc/{pid}/schedstat")


def cpu(server: Path | None) -> float:
    """Return the seconds of CPU of this thread and of the database's process for it."""
    return time.thread_time() + (int(server.read_text().split()[0]) / 1e9 if server else 0)


def show(database: str, cells: Cells) -> None:
    """Print the dearer one of both pages for each sort, and the dearest page with a count."""
    print(f"\n{database:<28}" + "".join(f"{sort:>13}" for sort in [*SORTS, "counted"]))
    for query, name in itertools.product(QUERIES, FILTERS):
        rows = [cells[query, name, sort] for sort in SORTS]
        pages = [max(row[:2]) for row in rows] + [max(row[2] for row in rows)]
        print(f"{query:<15}{name:<13}" + "".join(f"{page:>13.1f}" for page in pages))


if __name__ == "__main__":
    main()
