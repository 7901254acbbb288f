"""The import of an export after random changes, into the same or another database."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from app.models.task import PRIORITIES, STATUSES
from app.models.types import now, uuid7
from app.schemas.task_files import read
from app.services.accounts import accounts
from app.services.shared.actor import SYSTEM, Actor, scopes_of
from app.services.tasks import exchange, importing as task_import
from app.services.tasks.importing import Row
from app.services.users import registration
from tests.conftest import PASSWORD
from tests.support.databases import Database

WRITERS = {"text/csv": exchange.to_csv, "application/x-ndjson": exchange.to_ndjson}
PEOPLE = ("bob", "carol", "dave")
KEPT = ("title", "description", "status", "priority", "due_at", "labels")
DATES = ("created_at", "completed_at")
SORTS = ("created_at", "-created_at", "title", "-priority", "due_at", "-updated_at")
# Few times, so that many tasks share one.
DAY = datetime(2020, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(0, 3).map(lambda days: DAY + timedelta(days=days))
TASKS = st.lists(
    st.fixed_dictionaries(
        {
            "title": st.sampled_from(["=1", "a;b", '"q"', "\u00fc, x", "'-"]),
            "created_at": MOMENTS,
            "completed_at": MOMENTS,
            "assignee": st.sampled_from(["", *PEOPLE]),
        },
        optional={
            "description": st.sampled_from(["", "two\nlines", "\t=1", ";,\r\n"]),
            "status": st.sampled_from(STATUSES),
            "priority": st.sampled_from(PRIORITIES),
            "due_at": MOMENTS,
            "labels": st.lists(st.sampled_from(["a", "=b", "c d"]), unique=True),
        },
    ),
    min_size=1,
    max_size=8,
)
FATES = st.fixed_dictionaries(
    dict.fromkeys(PEOPLE, st.sampled_from(["stays", "left", "deleted", "renamed", "replaced"]))
)


@dataclass
class World:
    """A database with users by their original names."""

    database: Database
    people: dict[str, Actor] = field(default_factory=dict)

    def begin(self) -> None:
        self.database.empty()
        self.people = {name: self.join(name) for name in ("ann", "eve", *PEOPLE)}
        self.people["root"] = self.join("root", "admin")

    def join(self, name: str, role: str = "user") -> Actor:
        with self.database.app.app_context():
            user = registration.register(SYSTEM, name, f"{uuid7()}@example.com", PASSWORD, role)
        return Actor(
            id=user.id,
            username=name,
            role=role,
            scopes=scopes_of(role),
            signed_in_at=now(),
        )

    def change(self, name: str, fate: str) -> None:
        """Change a user. `replaced`: renamed and deactivated, and another user takes the name."""
        root, user_id = self.people["root"], self.people[name].id
        with self.database.app.app_context():
            if fate == "deleted":
                accounts.delete(root, user_id)
            elif fate in ("renamed", "replaced"):
                accounts.update(root, user_id, {"username": f"{name}-now"})
            if fate in ("left", "replaced"):
                accounts.update(root, user_id, {"is_active": False})
        if fate == "replaced":
            self.people[f"another {name}"] = self.join(name.upper())

    def assignee(self, name: str, fate: str, *, by_id: bool) -> str | None:
        """Return the expected assignee of a task of `name`; `by_id`: the id is of this database."""
        if fate == "replaced":
            return self.people[f"another {name}"].id
        found = fate == "stays" or (fate == "renamed" and by_id)
        return self.people[name].id if found else None

    def store(self, tasks: list[dict[str, Any]]) -> None:
        rows = [Row(line, task) for line, task in enumerate(tasks, 1)]
        with self.database.app.app_context():
            task_import.import_tasks(self.people["ann"], rows)

    def export(self, kind: str, sort: str) -> bytes:
        ann = self.people["ann"]
        with self.database.app.app_context():
            rows = exchange.every(ann, {}, sort, everyone=False)
            return "".join(WRITERS[kind](rows)).encode()

    def take(self, kind: str, content: bytes) -> list[dict[str, Any]]:
        """Import the file as Eve, and return the warnings."""
        with self.database.app.app_context():
            imported = task_import.import_tasks(self.people["eve"], read(kind, content))
        return imported.warnings

    def listed(self, owner: str, sort: str) -> list[dict[str, Any]]:
        with self.database.app.app_context():
            rows = exchange.every(self.people[owner], {}, sort, everyone=False)
            return [row for row in rows if row["owner_id"] == self.people[owner].id]


@pytest.fixture(params=["sqlite", "postgresql"])
def source(request: pytest.FixtureRequest) -> World:
    return World(request.getfixturevalue(f"{request.param}_database"))


@pytest.fixture(params=["sqlite", "postgresql"])
def target(request: pytest.FixtureRequest, source: World) -> World:
    """The target of the import: the source itself if both are on one database."""
    database = request.getfixturevalue(f"{request.param}_database")
    return source if database is source.database else World(database)


@settings(max_examples=10)
@given(tasks=TASKS, fates=FATES, kind=st.sampled_from(sorted(WRITERS)), sort=st.sampled_from(SORTS))
def test_export_is_imported_in_any_later_state_of_the_world(
    source: World,
    target: World,
    tasks: list[dict[str, Any]],
    fates: dict[str, str],
    kind: str,
    sort: str,
) -> None:
    source.begin()
    if target is not source:
        target.begin()
    source.store(tasks)
    before = {order: source.listed("ann", order) for order in ("created_at", "-created_at")}
    content = source.export(kind, sort)
    for name, fate in fates.items():
        target.change(name, fate)
    warnings = target.take(kind, content)
    for order, expected in before.items():
        found = target.listed("eve", order)
        for name in (*KEPT, *DATES):
            assert [task[name] for task in found] == [task[name] for task in expected]
        assert [task["assignee_id"] for task in found] == [
            task["assignee"]
            and target.assignee(task["assignee"], fates[task["assignee"]], by_id=target is source)
            for task in expected
        ]
    lost = [task for task in target.listed("eve", "created_at") if task["assignee_id"] is None]
    unassigned = [task for task in before["created_at"] if task["assignee_id"] is None]
    assert len(warnings) == len(lost) - len(unassigned)
