"""The records layer, on a resource that only the tests have."""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from app.errors import Conflict, Forbidden, NotFound, PreconditionFailed
from app.extensions import db
from app.models import OutboxEntry
from app.services.shared.actor import Actor
from app.services.shared.paging import PageRequest
from app.services.webhooks import webhooks
from tests.specimen import specimens
from tests.specimen.model import RESOURCE, STATES
from tests.support.rows import events, prove_address, rows

MAY = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
def within(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


pytestmark = pytest.mark.usefixtures("within")


def test_new_record_has_its_values_and_the_defaults(ann: Actor) -> None:
    made = specimens.create(ann, {"name": "Quartz", "words": ["clear"]})
    assert specimens.get(ann, made.id) == made
    assert (made.owner_id, made.name, made.notes, made.pieces) == (ann.id, "Quartz", "", 1)
    assert (made.state, made.rank, made.words, made.version) == ("new", "normal", ["clear"], 1)
    assert made.created_at == made.updated_at


def test_change_keeps_what_it_does_not_name(ann: Actor) -> None:
    made = specimens.create(ann, {"name": "Quartz", "pieces": 3})
    changed = specimens.update(ann, made.id, {"rank": "high"})
    assert (changed.name, changed.pieces, changed.rank, changed.version) == ("Quartz", 3, "high", 2)
    assert specimens.get(ann, made.id) == changed
    assert changed.updated_at >= made.updated_at


def test_value_that_follows_is_derived_at_each_change(ann: Actor) -> None:
    made = specimens.create(ann, {"name": "Quartz"})
    sold = specimens.update(ann, made.id, {"state": "sold"})
    kept = specimens.update(ann, made.id, {"notes": "To the museum."})
    assert sold.sold_at is not None
    assert kept.sold_at == sold.sold_at
    assert specimens.update(ann, made.id, {"state": "new"}).sold_at is None


def test_change_to_the_same_values_changes_nothing(ann: Actor) -> None:
    made = specimens.create(ann, {"name": "Quartz"})
    assert specimens.update(ann, made.id, {"name": "Quartz"}) == made
    assert [event.action for event in events("specimen.updated")] == []


def test_trail_has_each_act_with_its_changes(ann: Actor) -> None:
    made = specimens.create(ann, {"name": "Quartz"})
    specimens.update(ann, made.id, {"state": "sold"})
    specimens.delete(ann, made.id)
    specimens.restore(ann, made.id)
    trail = [event for event in events() if event.target_id == made.id]
    assert [(event.action, event.changes) for event in trail] == [
        ("specimen.created", {"name": [None, "Quartz"]}),
        ("specimen.updated", {"state": ["new", "sold"]}),
        ("specimen.deleted", {}),
        ("specimen.restored", {}),
    ]


def test_trail_holds_no_sealed_value(ann: Actor) -> None:
    made = specimens.create(ann, {"name": "Quartz", "seal": "sealed one"})
    specimens.update(ann, made.id, {"pieces": 2, "seal": "sealed two"})
    trail = [event.changes for event in events() if event.target_id == made.id]
    assert trail == [{"name": [None, "Quartz"]}, {"pieces": [1, 2]}]


def test_record_of_another_is_not_there(ann: Actor, bob: Actor) -> None:
    made = specimens.create(ann, {"name": "Quartz"})
    calls: list[Callable[[], Any]] = [
        lambda: specimens.get(bob, made.id),
        lambda: specimens.update(bob, made.id, {"name": "Mine"}),
        lambda: specimens.delete(bob, made.id),
        lambda: specimens.restore(bob, made.id),
    ]
    for call in calls:
        with pytest.raises(NotFound, match="no such specimen"):
            call()
    assert specimens.page(bob).items == []
    assert specimens.get(ann, made.id) == made


def test_second_person_sees_and_changes_but_does_not_delete(ann: Actor, bob: Actor) -> None:
    made = specimens.create(ann, {"name": "Quartz", "reviewer_id": bob.id})
    assert specimens.update(bob, made.id, {"state": "examined"}).state == "examined"
    assert [each.id for each in specimens.page(bob).items] == [made.id]
    with pytest.raises(Forbidden, match="Only the owner of a specimen"):
        specimens.delete(bob, made.id)


def test_admin_reaches_every_record_and_lists_all_on_demand(ann: Actor, root: Actor) -> None:
    made = specimens.create(ann, {"name": "Quartz"})
    assert specimens.get(root, made.id) == made
    assert specimens.page(root).items == []
    assert [each.id for each in specimens.page(root, everyone=True).items] == [made.id]
    specimens.delete(root, made.id)
    assert [each.id for each in specimens.page(root, everyone=True, trashed=True).items] == [
        made.id
    ]


def test_all_records_are_for_admins(ann: Actor) -> None:
    with pytest.raises(Forbidden):
        specimens.page(ann, everyone=True)


def test_deleted_record_lies_in_the_trash_of_its_owner_alone(ann: Actor, bob: Actor) -> None:
    made = specimens.create(ann, {"name": "Quartz", "reviewer_id": bob.id})
    specimens.delete(ann, made.id)
    with pytest.raises(NotFound):
        specimens.get(ann, made.id)
    assert [each.id for each in specimens.page(ann, trashed=True).items] == [made.id]
    assert specimens.page(bob, trashed=True).items == []
    assert specimens.restore(ann, made.id).deleted_at is None
    assert [each.id for each in specimens.page(bob).items] == [made.id]


@pytest.mark.parametrize("act", ["update", "delete", "restore"])
def test_stale_version_is_refused_and_changes_nothing(ann: Actor, act: str) -> None:
    made = specimens.create(ann, {"name": "Quartz"})
    if act == "restore":
        specimens.delete(ann, made.id)
    stored = rows(RESOURCE.model)
    calls: dict[str, Callable[[], Any]] = {
        "update": lambda: specimens.update(ann, made.id, {"name": "Beryl"}, {9}),
        "delete": lambda: specimens.delete(ann, made.id, {9}),
        "restore": lambda: specimens.restore(ann, made.id, {9}),
    }
    with pytest.raises(PreconditionFailed):
        calls[act]()
    assert rows(RESOURCE.model) == stored


def test_taken_value_is_a_conflict_of_its_field(ann: Actor, bob: Actor) -> None:
    specimens.create(ann, {"name": "Quartz"})
    other = specimens.create(ann, {"name": "Beryl"})
    specimens.create(bob, {"name": "Quartz"})  # of another owner
    calls: list[Callable[[], Any]] = [
        lambda: specimens.create(ann, {"name": "Quartz"}),
        lambda: specimens.update(ann, other.id, {"name": "Quartz"}),
    ]
    for call in calls:
        with pytest.raises(Conflict, match="a specimen of this name") as refused:
            call()
        assert refused.value.fields["name"].code == "taken"


def fill(actor: Actor) -> list[Any]:
    chance = random.Random(7)
    return [
        specimens.create(
            actor,
            {
                "name": f"{chance.choice('aBcD')}{number}",
                "due_at": chance.choice([None, MAY, MAY + timedelta(days=chance.randrange(3))]),
                "state": chance.choice(STATES),
                "rank": chance.choice(("low", "normal", "high")),
            },
        )
        for number in range(23)
    ]


@pytest.mark.parametrize("sort", ["created_at", "due_at", "rank", "name"])
@pytest.mark.parametrize("start", ["", "-"])
def test_pages_hold_every_record_once_in_order(ann: Actor, sort: str, start: str) -> None:
    made = fill(ann)
    whole = specimens.page(ann, PageRequest(100), sort=start + sort).items
    seen: list[Any] = []
    request = PageRequest(5, count=True)
    while True:
        page = specimens.page(ann, request, sort=start + sort)
        assert page.total == len(made)
        seen.extend(page.items)
        if page.last is None:
            break
        request = PageRequest(5, page.last, count=True)
    assert [each.id for each in seen] == [each.id for each in whole]
    assert {each.id for each in seen} == {each.id for each in made}
    keys = [each.sort_key for each in seen]
    known = [key for key in keys if key is not None]
    assert keys[: len(known)] == known  # those without a value come last
    assert sort == "rank" or known == sorted(known, reverse=start == "-")


@pytest.mark.parametrize(
    ("wanted", "matches"),
    [
        ({}, lambda _each: True),
        ({"state": "new"}, lambda each: each.state == "new"),
        ({"state": ["new", "sold", "new"]}, lambda each: each.state in ("new", "sold")),
        (
            {"rank": ["high"], "state": "sold"},
            lambda each: (each.rank, each.state) == ("high", "sold"),
        ),
        ({"reviewer_id": None}, lambda each: each.reviewer_id is None),
        ({"due_before": MAY}, lambda each: each.due_at is not None and each.due_at < MAY),
        ({"due_after": MAY}, lambda each: each.due_at is not None and each.due_at >= MAY),
        ({"archived": True}, lambda each: each.archived),
    ],
)
def test_filters_agree_with_a_plain_model(
    ann: Actor, wanted: dict[str, Any], matches: Callable[[Any], bool]
) -> None:
    made = fill(ann)
    page = specimens.page(ann, PageRequest(100, count=True), filters=wanted)
    expected = {each.id for each in made if matches(each)}
    assert ({each.id for each in page.items}, page.total) == (expected, len(expected))


def test_webhooks_of_the_persons_get_the_declared_events(
    app: Flask, ann: Actor, bob: Actor
) -> None:
    prove_address(app, bob)
    hook, _ = webhooks.create(bob, "https://93.184.216.34/", ["task.created"])
    with db.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE webhooks SET events = 'specimen.created specimen.updated'"
        )
    made = specimens.create(ann, {"name": "Quartz", "reviewer_id": bob.id})
    specimens.update(ann, made.id, {"reviewer_id": None})
    specimens.update(ann, made.id, {"name": "Beryl"})
    sent = {entry.name: entry for entry in rows(OutboxEntry) if entry.webhook_id == hook.id}
    assert sent.keys() == {"specimen.created", "specimen.updated"}
    assert sent["specimen.created"].payload["data"] == {
        "id": made.id,
        "name": "Quartz",
        "state": "new",
        "owner_id": ann.id,
    }
