"""The tasks of the demo as plain rows, each with the events up to now."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from app.models.task import PRIORITIES
from app.models.types import uuid7
from app.services.demo.history import DAYS, Deed, day, home
from app.services.tasks.labels import key as label_key

TRASH_DAYS = 20  # younger than the tasks that a purge deletes
CONTENT = Path(__file__).with_name("demo_tasks.txt")


def lives(
    chance: random.Random, moment: datetime, staff: list[str]
) -> Iterator[tuple[dict[str, Any], list[Deed]]]:
    """Yield each task in its state at `moment`, with its audit events."""
    lines = list(_content())
    chance.shuffle(lines)
    for place, (title, labels, description) in enumerate(lines):
        age = (len(lines) - place) * (DAYS - 1) / len(lines)
        owner = chance.choice(staff)
        life = Life(chance, moment, staff, owner, _worktime(chance, moment, age))
        life.begin(title, labels, description)
        life.go_on()
        yield life.task, life.deeds


class Life:
    """One task from its creation to `moment`. Later events are not generated."""

    def __init__(
        self,
        chance: random.Random,
        moment: datetime,
        staff: list[str],
        owner: str,
        born: datetime,
    ) -> None:
        self.chance, self.moment, self.staff, self.owner = chance, moment, staff, owner
        self.at = born
        self.task: dict[str, Any] = {}
        self.deeds: list[Deed] = []

    def begin(self, title: str, labels: list[str], description: str) -> None:
        due = self.at + timedelta(days=self.chance.randint(2, 30))
        others = [person for person in self.staff if person != self.owner]
        values: dict[str, Any] = {"title": title, "description": description, "labels": labels}
        if self.chance.random() < 0.65:
            values["due_at"] = due.replace(hour=16, minute=0, second=0, microsecond=0)
        if self.chance.random() < 0.3:
            values["assignee_id"] = self.chance.choice(others)
        values["priority"] = self.chance.choices(PRIORITIES, (20, 50, 22, 8))[0]
        blank = {"due_at": None, "assignee_id": None, "completed_at": None, "deleted_at": None}
        self.task = {
            **blank,
            **values,
            "id": uuid7(),
            "status": "todo",
            "owner_id": self.owner,
            "label_keys": [label_key(label) for label in labels],
            "created_at": self.at,
            "updated_at": self.at,
            "version": 1,
        }
        if values["priority"] == "normal":
            del values["priority"]
        changes = {name: [None, value] for name, value in values.items() if value}
        self._note("task.created", self.owner, changes)

    def go_on(self) -> None:
        worker = self.task["assignee_id"] or self.owner
        if self.chance.random() < 0.12 and self.task["priority"] != "urgent":
            self._change(self.owner, days=1.5, priority="urgent")
        if self.chance.random() < 0.06:
            self._change(self.owner, days=4, status="cancelled")
        elif self.chance.random() < 0.85 and self._change(worker, days=5, status="in_progress"):
            self._change(worker, days=7, status="done")
        if self.chance.random() < 0.08:
            self._discard()

    def _change(self, actor: str, *, days: float, **news: str) -> bool:
        """Change the task after some `days`. Return False if that would be after `moment`."""
        at = self.at + timedelta(days=0.05 + self.chance.expovariate(1 / days))
        if at >= self.moment:
            return False
        self.at = at
        changes = {name: [self.task[name], value] for name, value in news.items()}
        self.task.update(news, updated_at=at, version=self.task["version"] + 1)
        if news.get("status") == "done":
            self.task["completed_at"] = at
        self._note("task.updated", actor, changes)
        return True

    def _discard(self) -> None:
        at = self.moment - timedelta(days=self.chance.uniform(0.1, TRASH_DAYS))
        if at > self.at:
            self.at = at
            self.task.update(deleted_at=at, updated_at=at, version=self.task["version"] + 1)
            self._note("task.deleted", self.owner, {})

    def _note(self, action: str, actor: str, changes: dict[str, list[Any]]) -> None:
        address = home(self.staff.index(actor))
        self.deeds.append(Deed(self.at, actor, action, "task", self.task["id"], changes, address))


def _worktime(chance: random.Random, moment: datetime, age: float) -> datetime:
    """Return a moment about `age` days ago, by day and mostly between Monday and Friday."""
    morning = day(moment, int(age))
    if morning.weekday() > 4 and age < DAYS - 3 and chance.random() < 0.8:
        morning -= timedelta(days=morning.weekday() - 4)
    at = morning + timedelta(hours=8, minutes=chance.randrange(600), seconds=chance.randrange(60))
    return at if at < moment else moment - timedelta(minutes=chance.randint(1, 50))


@cache
def _content() -> list[tuple[str, list[str], str]]:
    """Return the lines of the file: title | labels | description, the last two may be empty."""
    found = []
    for line in CONTENT.read_text(encoding="utf-8").splitlines():
        title, labels, description = (part.strip() for part in f"{line}||".split("|")[:3])
        found.append((title, labels.split(", ") if labels else [], description))
    return found
