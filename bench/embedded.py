"""`make bench SQLITE=1`: the same loops on SQLite, with few clients and with many writers at once.

Every answer must have the expected status: a "database is locked" would end the run.
"""

import tempfile
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import insert

import config
from app import create_app
from app.extensions import db
from app.models import Session, Task, Token, User
from app.models.task import PRIORITIES
from app.models.types import uuid7
from app.services.authentication import secret_tokens
from app.services.tasks import search as task_search
from bench import data, measure, servers
from bench.loops import LOOPS, Maker

CONNECTIONS = (4, 32)
TASKS = 50_000


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'bench.db'}"
        environ = {**servers.environ_of(url), "ALLOW_SQLITE": "1"}
        servers.migrate(environ)
        maker = Maker(fill(create_app(config.load(environ))))
        with servers.serving("run:app", environ, config="gunicorn.conf.py") as server:
            rows = {number: measured(server, maker, number) for number in CONNECTIONS}
    show(rows)
    measure.keep("embedded", {"machine": measure.machine(), "tasks": TASKS, "connections": rows})


def measured(server: servers.Server, maker: Maker, connections: int) -> dict[str, measure.Row]:
    taken: dict[str, list[measure.Row]] = {loop.name: [] for loop in LOOPS}
    for _ in range(measure.ROUNDS + 1):
        for loop in LOOPS:
            row = measure.once(server, loop, maker, measure.REQUESTS, connections)
            taken[loop.name].append(row)
    return {name: measure.medians(rows[1:]) for name, rows in taken.items()}


def fill(app: Flask) -> data.Data:
    """Fill SQLite with the data of bench.data.fill, where PostgreSQL generates most of the rows."""
    users = [uuid7() for _ in range(data.USERS)]
    reader, writer, *others = users
    reading, writing, session = (secret_tokens.make() for _ in range(3))
    owners = [reader] * data.OWN + [writer] * data.OWN
    owners += [others[n % len(others)] for n in range(TASKS - len(owners))]
    tasks = [data.task_row(number, owner) for number, owner in enumerate(owners)]
    with app.app_context(), db.engine.begin() as connection:
        for model, columns, rows in (
            (User, data.USER_COLUMNS, map(data.user_row, range(data.USERS), users)),
            (Token, data.TOKEN_COLUMNS, map(data.token_row, (reading, writing), users)),
            (Session, data.SESSION_COLUMNS, [data.session_row(session, reader)]),
            (Task, data.TASK_COLUMNS, tasks),
        ):
            connection.execute(insert(model), [as_values(columns, row) for row in rows])
    ids = [row[0] for row in tasks]
    cookie = data.signed_cookie(session, dict(app.config))
    return data.Data(
        reading, writing, cookie, ids[: data.OWN], ids[data.OWN : 2 * data.OWN], writing
    )


def as_values(columns: str, row: tuple[Any, ...]) -> dict[str, Any]:
    """Return the row as values of the model, with the name of `priority` and search words."""
    values = dict(zip(columns.split(", "), row, strict=True))
    if "priority" in values:
        values["priority"] = PRIORITIES[values["priority"]]
        return task_search.indexed(values)
    return values


def show(rows: dict[int, dict[str, measure.Row]]) -> None:
    print("on SQLite".ljust(24) + "".join(f"{number:>9} connections".ljust(36) for number in rows))
    heads = "".join(f"{head:>9}" for head in ("CPU", "req/s", "p50 ms", "p99"))
    print(" " * 24 + heads * len(rows))
    for loop in LOOPS:
        cells = ""
        for row in (of_number[loop.name] for of_number in rows.values()):
            cells += f"{row['cpu']:>9.3f}{row['rate']:>9.0f}{row['p50']:>9.2f}{row['p99']:>9.2f}"
        print(f"{loop.name:<24}{cells}")


if __name__ == "__main__":
    main()
