"""Checks of the database: reach, migrations, disk, clock, role, connections, outbox."""

import os
import shutil
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from app.doctor import stored_secrets
from app.doctor.finding import Finding, fault, ok, warning
from app.errors import Unavailable
from app.models.types import now
from app.services.operations import database_checks, database_info, readiness
from app.services.outbox import outbox
from app.services.shared.actor import SYSTEM
from app.sql.errors import first_line

WHAT = "database"
APART = timedelta(seconds=5)  # between two clocks
WAITING = timedelta(minutes=5)  # an entry that is due for longer has no worker
FREE_MIN, FREE_ENOUGH = 100 * 2**20, 2**30  # bytes


def examine(config: Mapping[str, Any]) -> Iterator[Finding]:
    try:
        readiness.check()
        found = database_info.database(SYSTEM)
    except Unavailable as error:
        yield fault(WHAT, " ".join(filter(None, (error.message, first_line(error.__cause__)))))
        return
    yield ok(WHAT, f"{found['kind']} {found['version']} on {found['host']}")
    yield ok("migrations", f"at {found['revision']}")
    if found["kind"] == "SQLite":
        yield from _of_sqlite(config, Path(found["name"]))
    else:
        yield from _of_postgresql(config)
    yield from _users_and_outbox()
    yield from stored_secrets.examine()


def _of_sqlite(config: Mapping[str, Any], path: Path) -> Iterator[Finding]:
    free = shutil.disk_usage(path.parent).free
    space = f"{free / 2**20:,.0f} MiB are free on its disk"
    if not os.access(path, os.W_OK) or not os.access(path.parent, os.W_OK):
        yield fault(WHAT, f"{path} and its folder must be writable.")
    if free < FREE_MIN:
        yield fault(WHAT, f"{space}.")
    else:
        yield (ok if free > FREE_ENOUGH else warning)(WHAT, space)
    if config["APP_ENV"] == "production":
        yield warning(WHAT, "SQLite is for one machine, and lets one writer work at a time.")


def _of_postgresql(config: Mapping[str, Any]) -> Iterator[Finding]:
    lead = database_checks.clock_lead()
    if abs(lead) > APART:
        text = f"its clock and this one are {abs(lead).total_seconds():.0f} s apart: use NTP."
        yield warning(WHAT, text)
    powers = database_checks.powers()
    if powers and config["APP_ENV"] == "production":
        text = f"its role {' and '.join(powers)}: use one that only reads and writes rows."
        yield warning(WHAT, text)
    wanted = config["WEB_CONCURRENCY"] * config["DATABASE_POOL_SIZE"]
    room = database_checks.connections_max()
    if wanted > room:
        text = f"one replica may take {wanted} connections, and the server has {room}."
        yield warning(WHAT, text)


def _users_and_outbox() -> Iterator[Finding]:
    if not database_checks.has_admin():
        yield warning("users", "there is no active admin: flask users create ... --admin")
    due, oldest = outbox.overdue()
    if oldest and now() - oldest > WAITING:
        minutes = (now() - oldest) // timedelta(minutes=1)
        text = f"{due} mails and webhooks are due, the first for {minutes} minutes: is it up?"
        yield warning("flask worker", text)
    else:
        yield ok("flask worker", f"{due} mails and webhooks are due")
    if dead := outbox.dead():
        yield warning("outbox", f"{dead} mails and webhooks were given up: see /admin/jobs.")
