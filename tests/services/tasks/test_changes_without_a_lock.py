"""A change of a task that the request has read without a lock never overwrites another change."""

from typing import Any

import pytest

from app import sql
from app.errors import NotFound, PreconditionFailed
from app.models import AuditEvent, Task
from app.services.accounts import accounts
from app.services.shared.actor import Actor
from app.services.tasks import tasks
from tests.support.rows import rows

pytestmark = pytest.mark.usefixtures("ctx")


def changes_of(task: Task) -> list[dict[str, Any]]:
    """Return the recorded changes after the creation."""
    found = [event for event in rows(AuditEvent) if event.target_id == task.id]
    return [event.changes for event in sorted(found, key=lambda event: event.id)][1:]


def test_change_of_a_current_task_is_stored(ann: Actor) -> None:
    task = tasks.create(ann, {"title": "Buy plums"})
    changed = tasks.update(ann, task.id, {"title": "Buy pears"}, {1}, read=task)
    assert changed == tasks.get(ann, task.id)
    assert (changed.title, changed.version) == ("Buy pears", 2)


def test_change_of_an_outdated_task_keeps_the_other_change(ann: Actor) -> None:
    outdated = tasks.create(ann, {"title": "Buy plums"})
    tasks.update(ann, outdated.id, {"description": "ripe ones", "title": "Buy figs"})
    changed = tasks.update(ann, outdated.id, {"title": "Buy pears"}, read=outdated)
    assert changed == tasks.get(ann, outdated.id)
    assert (changed.description, changed.version) == ("ripe ones", 3)


def test_change_of_an_outdated_task_records_the_current_value(ann: Actor) -> None:
    outdated = tasks.create(ann, {"title": "Buy plums"})
    tasks.update(ann, outdated.id, {"title": "Buy figs"})
    tasks.update(ann, outdated.id, {"title": "Buy pears"}, read=outdated)
    assert changes_of(outdated)[1:] == [{"title": ["Buy figs", "Buy pears"]}]


def test_expected_version_that_is_gone_fails_although_it_was_read(ann: Actor) -> None:
    outdated = tasks.create(ann, {"title": "Buy plums"})
    tasks.update(ann, outdated.id, {"title": "Buy figs"})
    with pytest.raises(PreconditionFailed):
        tasks.update(ann, outdated.id, {"title": "Buy pears"}, {1}, read=outdated)
    assert tasks.get(ann, outdated.id).title == "Buy figs"


def test_task_that_is_deleted_after_the_read_stays_deleted(ann: Actor) -> None:
    read = tasks.create(ann, {"title": "Buy plums"})
    tasks.delete(ann, read.id)
    with pytest.raises(NotFound):
        tasks.update(ann, read.id, {"title": "Buy pears"}, read=read)
    assert len(changes_of(read)) == 1


def test_assignee_that_leaves_after_the_read_loses_the_right(ann: Actor, bob: Actor) -> None:
    read = tasks.create(ann, {"title": "Buy plums", "assignee_id": bob.id})
    tasks.update(ann, read.id, {"assignee_id": None})
    with pytest.raises(NotFound):
        tasks.update(bob, read.id, {"title": "Buy pears"}, read=read)


def test_assignee_that_is_deleted_after_the_read_is_not_restored(
    ann: Actor, bob: Actor, root: Actor
) -> None:
    read = tasks.create(ann, {"title": "Buy plums", "assignee_id": bob.id})
    accounts.delete(root, bob.id)
    changed = tasks.update(ann, read.id, {"title": "Buy pears"}, read=read)
    assert (changed.title, changed.assignee_id) == ("Buy pears", None)


def test_change_of_a_read_task_joins_an_outer_transaction(ann: Actor) -> None:
    outdated = tasks.create(ann, {"title": "Buy plums"})
    tasks.update(ann, outdated.id, {"title": "Buy figs"})

    @sql.atomic
    def several() -> None:
        tasks.create(ann, {"title": "Buy more"})
        tasks.update(ann, outdated.id, {"title": "Buy pears"}, read=outdated)

    several()
    assert tasks.get(ann, outdated.id).title == "Buy pears"
