"""History, statistics and labels of tasks."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from app.models import Task
from app.models.types import now
from app.services.accounts import accounts
from app.services.shared.actor import Actor
from tests.api.test_tasks_api import make, patch
from tests.support.answers import MISSING, blamed, slug_of
from tests.support.clients import Api
from tests.support.rows import set_values

EVENT = {"id", "actor_id", "action", "changes", "created_at"}


def events(api: Api, task: dict[str, Any], query: str = "") -> list[dict[str, Any]]:
    answer = api.get(f"/tasks/{task['id']}/events?{query}")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.get_json()["items"]
    return found


def stats(api: Api, query: str = "") -> dict[str, Any]:
    answer = api.get(f"/tasks/stats?{query}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def test_history_tells_old_and_new_values_the_newest_first(ann: Actor, ann_api: Api) -> None:
    task = make(ann_api, labels=["garden"])
    patch(ann_api, task, title="Prune the plums", due_at="2030-01-01T01:00:00+01:00")
    patch(ann_api, task, due_at=None)
    told = events(ann_api, task)
    assert [event["changes"] for event in told] == [
        {"due_at": ["2030-01-01T00:00:00Z", None]},
        {
            "title": ["Water the plums", "Prune the plums"],
            "due_at": [None, "2030-01-01T00:00:00Z"],
        },
        {"title": [None, "Water the plums"], "labels": [None, ["garden"]]},
    ]
    assert [event["action"] for event in told] == ["task.updated", "task.updated", "task.created"]
    assert {event["actor_id"] for event in told} == {ann.id}


def test_event_has_what_the_contract_names_and_no_address(ann_api: Api) -> None:
    (event,) = events(ann_api, make(ann_api))
    assert event.keys() == EVENT


def test_change_that_changes_nothing_is_no_event(ann_api: Api) -> None:
    task = make(ann_api)
    patch(ann_api, task, title="Water the plums")
    assert len(events(ann_api, task)) == 1


def test_history_tells_of_comments_and_of_the_trash(ann_api: Api) -> None:
    task = make(ann_api)
    ann_api.post(f"/tasks/{task['id']}/comments", {"body": "Ripe."})
    ann_api.delete(f"/tasks/{task['id']}")
    ann_api.post(f"/tasks/{task['id']}/restore")
    assert [event["action"] for event in events(ann_api, task)] == [
        "task.restored",
        "task.deleted",
        "comment.created",
        "task.created",
    ]


def test_history_holds_no_other_task(ann_api: Api) -> None:
    make(ann_api)
    assert len(events(ann_api, make(ann_api))) == 1


def test_history_is_for_those_who_see_the_task(
    ann_api: Api, bob_api: Api, root_api: Api, bob: Actor
) -> None:
    task = make(ann_api)
    assert slug_of(bob_api.get(f"/tasks/{task['id']}/events")) == (404, "not-found")
    patch(ann_api, task, assignee_id=bob.id)
    assert len(events(bob_api, task)) == len(events(root_api, task)) == 2


def test_history_outlives_who_made_it(app: Flask, ann_api: Api, bob_api: Api, bob: Actor) -> None:
    task = make(ann_api, assignee_id=bob.id)
    patch(bob_api, task, status="done")
    with app.app_context():
        accounts.delete(bob, bob.id)
    assert [event["actor_id"] for event in events(ann_api, task)][-2] == bob.id


@pytest.mark.parametrize("task_id", [MISSING, "x", "1"])
def test_task_that_is_not_there_has_no_history(ann_api: Api, task_id: str) -> None:
    assert slug_of(ann_api.get(f"/tasks/{task_id}/events")) == (404, "not-found")


def test_history_is_paged_and_counted(ann_api: Api) -> None:
    task = make(ann_api)
    for title in "abcd":
        patch(ann_api, task, title=title)
    whole = events(ann_api, task)
    seen: list[dict[str, Any]] = []
    path = f"/tasks/{task['id']}/events?limit=2&count=true"
    while path:
        answer = ann_api.get(path)
        assert answer.get_json()["total"] == 5
        seen += answer.get_json()["items"]
        link = answer.headers.get("Link", "")
        path = link.partition(">")[0].removeprefix("<http://localhost:8000")
    assert seen == whole


def test_figures_count_what_one_sees(ann_api: Api, bob_api: Api, root_api: Api, bob: Actor) -> None:
    make(ann_api, status="done", priority="high")
    make(ann_api, due_at="2020-01-01T00:00:00Z", assignee_id=bob.id)
    make(bob_api, status="cancelled", due_at="2020-01-01T00:00:00Z")
    gone = make(ann_api)
    ann_api.delete(f"/tasks/{gone['id']}")
    of_ann, of_bob, of_all = stats(ann_api), stats(bob_api), stats(root_api)
    assert (of_ann["total"], of_bob["total"], of_all["total"]) == (2, 2, 3)
    assert (of_ann["overdue"], of_bob["overdue"], of_all["overdue"]) == (1, 1, 1)
    assert of_all["by_status"] == {"todo": 1, "in_progress": 0, "done": 1, "cancelled": 1}
    assert of_ann["by_priority"] == {"low": 0, "normal": 1, "high": 1, "urgent": 0}


def test_figures_of_nothing_are_zero(ann_api: Api) -> None:
    found = stats(ann_api)
    assert found.keys() == {"total", "by_status", "by_priority", "overdue", "days"}
    assert (found["total"], found["overdue"]) == (0, 0)
    assert set(found["by_status"].values()) == set(found["by_priority"].values()) == {0}
    assert len(found["days"]) == 30


@pytest.mark.parametrize("days", [1, 7, 366])
def test_days_end_today_in_utc(ann_api: Api, days: int) -> None:
    found = [date.fromisoformat(day["date"]) for day in stats(ann_api, f"days={days}")["days"]]
    assert found[-1] == datetime.now(UTC).date()
    assert found == [found[-1] - timedelta(days=age) for age in range(days - 1, -1, -1)]


def test_days_count_what_was_made_and_done(app: Flask, ann_api: Api) -> None:
    old, older = make(ann_api), make(ann_api)
    make(ann_api, status="done")
    midnight = now().replace(hour=0, minute=0, second=0, microsecond=0)
    with app.app_context():
        set_values(Task, old["id"], created_at=midnight - timedelta(microseconds=1))
        set_values(Task, older["id"], created_at=midnight - timedelta(days=2, microseconds=1))
    patch(ann_api, old, status="done")
    days = stats(ann_api, "days=3")["days"]
    assert [(day["created"], day["completed"]) for day in days] == [(0, 0), (1, 0), (1, 2)]


def test_what_is_reopened_was_not_done(ann_api: Api) -> None:
    task = make(ann_api, status="done")
    patch(ann_api, task, status="todo")
    assert stats(ann_api, "days=1")["days"][0]["completed"] == 0


@pytest.mark.parametrize("query", ["days=0", "days=367", "days=-1", "days=x", "days=1.5", "days="])
def test_number_of_days_that_does_not_do_is_refused(ann_api: Api, query: str) -> None:
    answer = ann_api.get(f"/tasks/stats?{query}")
    assert (slug_of(answer), blamed(answer)) == ((422, "invalid-parameter"), ["days"])


@pytest.mark.parametrize("query", ["days=1&days=2", "limit=5", "status=todo"])
def test_figures_take_one_number_of_days_and_nothing_else(ann_api: Api, query: str) -> None:
    assert slug_of(ann_api.get(f"/tasks/stats?{query}")) == (422, "invalid-parameter")
