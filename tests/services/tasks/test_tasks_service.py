"""The rules of tasks: rights, and the effects of changes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.errors import Forbidden, Invalid, NotFound, PreconditionFailed
from app.models import Task
from app.models.types import now
from app.services.accounts import accounts
from app.services.shared.actor import Actor
from app.services.tasks import (
    history as task_events,
    stats as task_stats,
    tasks,
    values as task_values,
)
from tests.conftest import MakePerson
from tests.support.rows import rows, set_values

pytestmark = pytest.mark.usefixtures("ctx")
NONE = "00000000-0000-7000-8000-000000000000"
DUE = datetime(2030, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
FULL = {
    "title": "Buy plums",
    "description": "ripe ones",
    "status": "in_progress",
    "priority": "high",
    "due_at": DUE,
    "labels": ["Food", "shop"],
}


@pytest.fixture
def carl(make_person: MakePerson) -> Actor:
    return make_person("carl")


def shared(ann: Actor, carl: Actor) -> Task:
    """Ann's task, assigned to Carl."""
    return tasks.create(ann, {"title": "shared", "assignee_id": carl.id})


def test_new_task_has_the_defaults(ann: Actor) -> None:
    task = tasks.create(ann, {"title": "Buy plums"})
    assert (task.description, task.status, task.priority) == ("", "todo", "normal")
    assert (task.due_at, task.labels, task.assignee_id) == (None, [], None)
    assert (task.owner_id, task.version, task.completed_at) == (ann.id, 1, None)


def test_task_is_read_as_it_was_made(ann: Actor) -> None:
    made = tasks.create(ann, FULL)
    assert tasks.get(ann, made.id) == made
    assert {name: getattr(made, name) for name in FULL} == FULL


def test_owner_assignee_and_admin_see_a_task(ann: Actor, carl: Actor, root: Actor) -> None:
    task = shared(ann, carl)
    for actor in (ann, carl, root):
        assert tasks.get(actor, task.id).id == task.id


def test_stranger_sees_no_difference_between_a_task_and_none(ann: Actor, bob: Actor) -> None:
    task = tasks.create(ann, FULL)
    for task_id in (task.id, NONE):
        with pytest.raises(NotFound, match=r"^There is no such task\.$"):
            tasks.get(bob, task_id)


def test_stranger_changes_nothing(ann: Actor, bob: Actor) -> None:
    task = tasks.create(ann, FULL)
    with pytest.raises(NotFound):
        tasks.update(bob, task.id, {"title": "mine"})
    with pytest.raises(NotFound):
        tasks.delete(bob, task.id)
    with pytest.raises(NotFound):
        task_events.history(bob, task.id)
    assert rows(Task)[0].version == 1


def test_change_leaves_the_other_fields(ann: Actor) -> None:
    task = tasks.create(ann, FULL)
    changed = tasks.update(ann, task.id, {"title": "Buy pears"})
    assert {name: getattr(changed, name) for name in FULL} == {**FULL, "title": "Buy pears"}
    assert (changed.version, changed.created_at) == (2, task.created_at)
    assert changed.updated_at > task.updated_at


def test_change_to_what_it_was_is_none(ann: Actor) -> None:
    task = tasks.create(ann, FULL)
    assert tasks.update(ann, task.id, FULL) == task


def test_replacing_puts_what_is_not_named_back(ann: Actor) -> None:
    task = tasks.replace(ann, tasks.create(ann, FULL).id, {"title": "Buy pears"})
    assert {name: getattr(task, name) for name in task_values.DEFAULTS} == task_values.DEFAULTS
    assert task.title == "Buy pears"


def test_done_has_a_time_while_it_is_done(ann: Actor) -> None:
    task = tasks.create(ann, {"title": "x"})
    done = tasks.update(ann, task.id, {"status": "done"})
    assert done.completed_at is not None
    assert tasks.update(ann, task.id, {"title": "y"}).completed_at == done.completed_at
    assert tasks.update(ann, task.id, {"status": "todo"}).completed_at is None


def test_task_may_be_done_from_the_start(ann: Actor) -> None:
    task = tasks.create(ann, {"title": "x", "status": "done"})
    assert task.completed_at == task.created_at


def test_stale_version_changes_and_deletes_nothing(ann: Actor) -> None:
    task = tasks.create(ann, {"title": "x"})
    tasks.update(ann, task.id, {"title": "y"}, expect=[1])
    with pytest.raises(PreconditionFailed):
        tasks.update(ann, task.id, {"title": "z"}, expect=[1])
    with pytest.raises(PreconditionFailed):
        tasks.delete(ann, task.id, expect=[1])
    assert (tasks.get(ann, task.id).title, tasks.get(ann, task.id).version) == ("y", 2)


def test_stale_version_is_told_even_where_nothing_would_change(ann: Actor) -> None:
    task = tasks.create(ann, {"title": "x"})
    with pytest.raises(PreconditionFailed):
        tasks.update(ann, task.id, {"title": "x"}, expect=[7])


def test_one_of_several_versions_is_enough(ann: Actor) -> None:
    task = tasks.create(ann, {"title": "x"})
    assert tasks.update(ann, task.id, {"title": "y"}, expect=[5, 1]).version == 2


def test_assignee_changes_a_task_and_neither_hands_it_on_nor_deletes_it(
    ann: Actor, bob: Actor, carl: Actor
) -> None:
    task = shared(ann, carl)
    assert tasks.update(carl, task.id, {"status": "done"}).status == "done"
    for assignee in (bob.id, None):
        with pytest.raises(Forbidden):
            tasks.update(carl, task.id, {"assignee_id": assignee})
    with pytest.raises(Forbidden):
        tasks.delete(carl, task.id)


def test_assignee_who_replaces_keeps_the_assignee(ann: Actor, carl: Actor) -> None:
    task = shared(ann, carl)
    kept = tasks.replace(carl, task.id, {"title": "new", "assignee_id": carl.id})
    assert kept.title == "new"
    with pytest.raises(Forbidden):
        tasks.replace(carl, task.id, {"title": "newer"})


def test_former_assignee_sees_it_no_more(ann: Actor, carl: Actor) -> None:
    task = shared(ann, carl)
    tasks.update(ann, task.id, {"assignee_id": None})
    with pytest.raises(NotFound):
        tasks.get(carl, task.id)


def test_assignee_has_to_be_an_active_user(ann: Actor, bob: Actor, root: Actor) -> None:
    accounts.update(root, bob.id, {"is_active": False})
    task = tasks.create(ann, {"title": "x"})
    for assignee in (NONE, bob.id):
        with pytest.raises(Invalid) as caught:
            tasks.create(ann, {"title": "x", "assignee_id": assignee})
        assert list(caught.value.fields) == ["assignee_id"]
        with pytest.raises(Invalid):
            tasks.update(ann, task.id, {"assignee_id": assignee})


def test_deleted_task_is_gone_for_everyone(ann: Actor, carl: Actor, root: Actor) -> None:
    task = shared(ann, carl)
    tasks.delete(ann, task.id)
    for actor in (ann, carl, root):
        with pytest.raises(NotFound):
            tasks.get(actor, task.id)
        with pytest.raises(NotFound):
            tasks.update(actor, task.id, {"title": "y"})
        with pytest.raises(NotFound):
            tasks.delete(actor, task.id)


def test_trash_holds_what_the_owner_deleted(ann: Actor, carl: Actor, root: Actor) -> None:
    task = shared(ann, carl)
    tasks.delete(ann, task.id)
    assert [one.id for one in tasks.page(ann, filters={"trashed": True}).items] == [task.id]
    assert tasks.page(carl, filters={"trashed": True}).items == []
    assert tasks.page(ann).items == []
    assert len(tasks.page(root, filters={"trashed": True}, everyone=True).items) == 1


def test_restored_task_is_back_as_it_was(ann: Actor) -> None:
    task = tasks.create(ann, {**FULL, "status": "done"})
    tasks.delete(ann, task.id)
    back = tasks.restore(ann, task.id)
    assert (back.title, back.labels, back.completed_at) == (
        task.title,
        task.labels,
        task.completed_at,
    )
    assert back.version == 3
    assert tasks.page(ann, filters={"trashed": True}).items == []


def test_only_the_owner_and_an_admin_restore(ann: Actor, carl: Actor, root: Actor) -> None:
    task = shared(ann, carl)
    tasks.delete(ann, task.id)
    with pytest.raises(NotFound):
        tasks.restore(carl, task.id)
    assert tasks.restore(root, task.id).id == task.id


def test_restoring_what_is_not_in_the_trash_changes_nothing(ann: Actor, bob: Actor) -> None:
    task = tasks.create(ann, {"title": "x"})
    assert tasks.restore(ann, task.id) == task
    with pytest.raises(NotFound):
        tasks.restore(bob, task.id)


def test_history_tells_each_change_the_newest_first(ann: Actor, carl: Actor) -> None:
    task = shared(ann, carl)
    tasks.update(carl, task.id, {"status": "done"})
    tasks.delete(ann, task.id)
    tasks.restore(ann, task.id)
    told: list[Any] = task_events.history(ann, task.id)
    assert [event.action for event in told] == [
        "task.restored",
        "task.deleted",
        "task.updated",
        "task.created",
    ]
    assert (told[2].actor, told[2].changes) == ("carl", {"status": ["todo", "done"]})


def test_history_outlives_who_made_it(ann: Actor, carl: Actor) -> None:
    task = shared(ann, carl)
    tasks.update(carl, task.id, {"status": "done"})
    accounts.delete(carl, carl.id)
    told = task_events.history(ann, task.id)
    assert [event.actor_id for event in told] == [carl.id, carl.id, ann.id]
    assert told[0].changes == {"assignee_id": [carl.id, None]}


def test_list_of_everyone_is_for_admins(ann: Actor, root: Actor) -> None:
    tasks.create(ann, {"title": "x"})
    assert len(tasks.page(root, everyone=True).items) == 1
    assert tasks.page(root).items == []
    with pytest.raises(Forbidden):
        tasks.page(ann, everyone=True)


def test_figures_count_what_the_actor_sees(ann: Actor, bob: Actor, root: Actor) -> None:
    tasks.create(ann, {"title": "a", "status": "done", "priority": "high"})
    tasks.create(ann, {"title": "b", "due_at": now() - timedelta(days=1)})
    tasks.create(bob, {"title": "c", "assignee_id": ann.id})
    tasks.delete(bob, tasks.create(bob, {"title": "d"}).id)
    figures = task_stats.overview(ann)
    assert (figures["total"], figures["overdue"]) == (3, 1)
    assert figures["by_status"] == {"todo": 2, "in_progress": 0, "done": 1, "cancelled": 0}
    assert figures["by_priority"] == {"low": 0, "normal": 2, "high": 1, "urgent": 0}
    assert task_stats.overview(bob)["total"] == 1
    assert task_stats.overview(root, everyone=True)["total"] == 3


def test_figures_of_the_days_end_today_in_utc(ann: Actor) -> None:
    today = now()
    old = tasks.create(ann, {"title": "a"})
    set_values(Task, old.id, created_at=today - timedelta(days=2))
    tasks.create(ann, {"title": "b", "status": "done"})
    days = task_stats.overview(ann, days=3)["days"]
    assert [day["date"] for day in days] == [
        (today - timedelta(days=age)).date().isoformat() for age in (2, 1, 0)
    ]
    assert [(day["created"], day["completed"]) for day in days] == [(1, 0), (0, 0), (1, 1)]


def test_figures_of_everyone_are_for_admins(ann: Actor) -> None:
    with pytest.raises(Forbidden):
        task_stats.overview(ann, everyone=True)


def test_what_a_write_gives_back_is_what_is_stored(ctx: None, ann: Actor, bob: Actor) -> None:
    values = {
        "title": "Läsa \U0001f600 'x' %s",
        "description": "a\\b",
        "status": "done",
        "priority": "urgent",
        "due_at": datetime(2026, 1, 31, 12, 0, 0, 1234, tzinfo=UTC),
        "labels": ["Home", "%(x)s"],
        "assignee_id": bob.id,
    }
    for made in (tasks.create(ann, values), tasks.create(ann, {"title": "x"})):
        assert made == tasks.get(ann, made.id)
        changed = tasks.update(ann, made.id, {**values, "title": "Other", "status": "todo"})
        assert changed == tasks.get(ann, made.id)
        assert changed.version == made.version + 1
