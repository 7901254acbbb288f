"""Lists of tasks, compared with a simple model: every row once, in order, for any filters."""

import random
import string
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from sqlalchemy import delete, insert

from app.extensions import db
from app.models import TASKS, Task
from app.models.task import CLOSED, PRIORITIES, STATUSES
from app.services.shared.actor import Actor
from app.services.shared.paging import PageRequest
from app.services.tasks import search as task_search, tasks
from app.services.tasks.page_queries import SORTS
from tests.services.tasks.test_search_words import matches
from tests.support.rows import set_values

pytestmark = pytest.mark.usefixtures("ctx")
MOMENTS = [datetime(2020, 1, 1, 0, 0, 0, 1, UTC) + timedelta(microseconds=n) for n in range(3)]
FUTURE = datetime(2100, 1, 1, tzinfo=UTC)
WORDS = ["plum", "pear", "fig", "apple"]
LABELS = ["Food", "shop", "\u00dcber"]
TITLES = ["Plum", "plum", "PEAR tree", "pear", "\u00c4pfel", "\u00e4pfel", "\U0001f350", "~"]
ASCII_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
PEOPLE = ("ann", "bob")
RANKED = {"priority": PRIORITIES, "status": STATUSES}


@dataclass
class Spec:
    """The values of a task. `owner` and `assignee` are names."""

    number: int = 0  # determines the id
    owner: str = "ann"
    assignee: str | None = None
    title: str = "x"
    description: str = ""
    status: str = "todo"
    priority: str = "normal"
    due_at: datetime | None = None
    created_at: datetime = MOMENTS[0]
    updated_at: datetime = MOMENTS[0]
    labels: list[str] = field(default_factory=list)
    trashed: bool = False
    ended: datetime = FUTURE

    @property
    def completed_at(self) -> datetime | None:
        return self.ended if self.status == "done" else None

    @property
    def id(self) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_OID, str(self.number)))

    def row(self, ids: dict[str | None, str]) -> dict[str, Any]:
        return {
            **{name: getattr(self, name) for name in ("id", "title", "description", "status")},
            **{name: getattr(self, name) for name in ("priority", "due_at", "labels")},
            "owner_id": ids[self.owner],
            "assignee_id": ids.get(self.assignee),
            "completed_at": self.completed_at,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
            "version": 1,
            "deleted_at": FUTURE if self.trashed else None,
            "label_keys": [label.casefold() for label in self.labels],
            "search_words": task_search.words_of(self.title, self.description),
            "search_version": 1,
        }


def numbered(specs: list[Spec]) -> list[Spec]:
    for number, spec in enumerate(specs):
        spec.number = number
    return specs


SPECS = st.lists(
    st.builds(
        Spec,
        owner=st.sampled_from(PEOPLE),
        assignee=st.sampled_from([None, *PEOPLE]),
        title=st.sampled_from(TITLES)
        | st.lists(st.sampled_from(WORDS), min_size=1, max_size=2).map(" ".join),
        description=st.lists(st.sampled_from(WORDS), max_size=2).map(" ".join),
        status=st.sampled_from(STATUSES),
        priority=st.sampled_from(PRIORITIES),
        due_at=st.sampled_from([None, *MOMENTS, FUTURE]),
        created_at=st.sampled_from(MOMENTS),
        updated_at=st.sampled_from(MOMENTS),
        ended=st.sampled_from(MOMENTS),
        labels=st.lists(st.sampled_from(LABELS), unique=True),
        trashed=st.sampled_from([False, False, False, True]),
    ),
    max_size=25,
).map(numbered)


@dataclass
class World:
    """The tables and their model, both read as `ann`."""

    ann: Actor
    bob: Actor
    specs: list[Spec] = field(default_factory=list)

    def start(self, specs: list[Spec]) -> None:
        with db.engine.begin() as connection:
            connection.execute(delete(Task))
        self.specs = []
        self.add(*specs)

    def add(self, *specs: Spec) -> None:
        ids: dict[str | None, str] = {"ann": self.ann.id, "bob": self.bob.id}
        self.specs += specs
        if specs:
            with db.engine.begin() as connection:
                connection.execute(insert(TASKS), [spec.row(ids) for spec in specs])

    def remove(self, spec: Spec) -> None:
        self.specs.remove(spec)
        with db.engine.begin() as connection:
            connection.execute(delete(Task).where(Task.id == spec.id))

    def seen(self) -> list[Spec]:
        return [
            spec for spec in self.specs if "ann" in (spec.owner, spec.assignee) and not spec.trashed
        ]


@pytest.fixture
def world(ann: Actor, bob: Actor) -> World:
    return World(ann, bob)


def in_order(specs: list[Spec], sort: str) -> list[str]:
    """Return the ids in the documented order: equal values by id, missing values last."""
    key, turned = sort.removeprefix("-"), sort.startswith("-")

    def place(spec: Spec) -> tuple[Any, str]:
        value = getattr(spec, key)
        if key == "title":
            value = value.translate(ASCII_LOWER)
        elif key in RANKED:
            value = RANKED[key].index(value)
        return value, spec.id

    given_ = [spec for spec in specs if getattr(spec, key) is not None]
    missing = [spec for spec in specs if getattr(spec, key) is None]
    given_.sort(key=place, reverse=turned)
    missing.sort(key=lambda spec: spec.id, reverse=turned)
    return [spec.id for spec in given_ + missing]


EVERY_SORT = pytest.mark.parametrize("sort", [*SORTS, *(f"-{name}" for name in SORTS)])


@pytest.mark.slow
@EVERY_SORT
@settings(max_examples=12)
@given(specs=SPECS, limit=st.integers(1, 8), everyone=st.booleans())
def test_pages_show_every_task_once_in_order(
    world: World, root: Actor, sort: str, specs: list[Spec], limit: int, everyone: bool
) -> None:
    world.start(specs)
    seen: list[str] = []
    after, total = None, None
    while True:
        page = tasks.page(
            root if everyone else world.ann,
            PageRequest(limit, after, count=after is None),
            sort=sort,
            everyone=everyone,
        )
        total = page.total if after is None else total
        seen += [task.id for task in page.items]
        if (after := page.last) is None:
            break
        assert len(seen) < 1000, "the pages have no end"
    shown = [spec for spec in specs if not spec.trashed] if everyone else world.seen()
    assert seen == in_order(shown, sort)
    assert total == len(shown)


@pytest.mark.slow
@EVERY_SORT
@settings(max_examples=12)
@given(specs=SPECS, passing=SPECS, limit=st.integers(1, 4), chance=st.randoms())
def test_task_that_stays_is_seen_once_while_others_come_and_go(
    world: World,
    sort: str,
    specs: list[Spec],
    passing: list[Spec],
    limit: int,
    chance: random.Random,
) -> None:
    for spec in passing:
        spec.number += 1000
    world.start(specs)
    staying = in_order(world.seen(), sort)
    there: list[Spec] = []
    seen: list[str] = []
    after = None
    while True:
        page = tasks.page(world.ann, PageRequest(limit, after), sort=sort)
        seen += [task.id for task in page.items]
        if (after := page.last) is None:
            break
        assert len(seen) < 1000, "the pages have no end"
        if passing and chance.random() < 0.5:
            there.append(passing.pop())
            world.add(there[-1])
        if there and chance.random() < 0.5:
            world.remove(there.pop(chance.randrange(len(there))))
    assert [task_id for task_id in seen if task_id in staying] == staying
    assert len(set(seen)) == len(seen)


WANTED: dict[str, Any] = {
    "status": lambda spec, given_: spec.status in given_,
    "priority": lambda spec, given_: spec.priority in given_,
    "label": lambda spec, given_: (
        {label.casefold() for label in spec.labels} & {label.casefold() for label in given_}
    ),
    "owner_id": lambda spec, given_: spec.owner == given_,
    "assignee_id": lambda spec, given_: spec.assignee == given_,
    "due_before": lambda spec, given_: spec.due_at is not None and spec.due_at < given_,
    "due_after": lambda spec, given_: spec.due_at is not None and spec.due_at >= given_,
    "created_after": lambda spec, given_: spec.created_at >= given_,
    "updated_after": lambda spec, given_: spec.updated_at >= given_,
    "overdue": lambda spec, given_: (
        given_ == (spec.due_at in MOMENTS and spec.status not in CLOSED)
    ),
    "q": lambda spec, given_: matches(f"{spec.title} {spec.description}", given_),
}
FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "status": st.lists(st.sampled_from(STATUSES), min_size=1),
        "priority": st.lists(st.sampled_from(PRIORITIES), min_size=1),
        "label": st.lists(st.sampled_from([*LABELS, "FOOD", "none"]), min_size=1),
        "owner_id": st.sampled_from(PEOPLE),
        "assignee_id": st.sampled_from(PEOPLE),
        "due_before": st.sampled_from(MOMENTS),
        "due_after": st.sampled_from(MOMENTS),
        "created_after": st.sampled_from(MOMENTS),
        "updated_after": st.sampled_from(MOMENTS),
        "overdue": st.booleans(),
        "q": st.lists(st.sampled_from([*WORDS, "PLUM"]), min_size=1, max_size=2).map(" ".join),
    },
)


@pytest.mark.slow
@settings(max_examples=80)
@given(specs=SPECS, filters=FILTERS, limit=st.sampled_from([2, 100]))
def test_filters_agree_with_a_plain_model(
    world: World, specs: list[Spec], filters: dict[str, Any], limit: int
) -> None:
    world.start(specs)
    people = {"ann": world.ann.id, "bob": world.bob.id}
    sent = {
        name: people.get(value, value) if name.endswith("_id") else value
        for name, value in filters.items()
    }
    matching = [
        spec
        for spec in world.seen()
        if all(WANTED[name](spec, value) for name, value in filters.items())
    ]
    page = tasks.page(world.ann, PageRequest(limit, count=True), filters=sent, sort="title")
    assert [task.id for task in page.items] == in_order(matching, "title")[:limit]
    assert page.total == len(matching)


def test_search_takes_no_wildcards(world: World) -> None:
    titles = ["100% wool", "100 wool", "under_score", "underXscore", "back\\slash"]
    world.start(numbered([Spec(title=title) for title in titles]))
    for title in ("under_score", "back\\slash", "un%score"):
        found = [task.title for task in tasks.page(world.ann, filters={"q": title}).items]
        assert found == [one for one in titles if one == title]


@pytest.mark.parametrize(
    "query",
    ["%", "_", "\\", "'", "&", "!", "a:*", "the", "()", "''", '"', "*", ":", "|", "a <-> b"],
)
def test_any_search_is_answered(world: World, query: str) -> None:
    world.start([Spec()])
    assert tasks.page(world.ann, filters={"q": query}).items == []


def test_trashed_task_comes_first_in_the_trash_by_its_own_order(world: World) -> None:
    world.start(numbered([Spec(trashed=True), Spec(trashed=True), Spec()]))
    set_values(Task, world.specs[1].id, created_at=FUTURE)
    found = [task.id for task in tasks.page(world.ann, filters={"trashed": True}).items]
    assert found == [world.specs[1].id, world.specs[0].id]
