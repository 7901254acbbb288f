"""Filters of tasks: a missing value, several ids, bounds, and repeated values as a set."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from app.models import Task
from app.services.shared.actor import Actor
from tests.api.test_tasks_api import make
from tests.api.test_tasks_list_api import pages, titles
from tests.support.answers import MISSING, blamed, slug_of
from tests.support.clients import Api
from tests.support.rows import set_values

DAY = timedelta(days=1)
NOON = datetime.fromisoformat("2026-01-02T12:00:00Z")
AT = "2026-01-02T12:00:00Z"


@pytest.fixture
def three(app: Any, ann_api: Api, ann: Actor) -> list[dict[str, Any]]:
    """A, B and C: created and changed on three days at noon; B is done; B and C have a due date."""
    made = [
        make(ann_api, title="A", assignee_id=ann.id, labels=["x", "y"]),
        make(ann_api, title="B", status="done", due_at=AT, labels=["x"]),
        make(ann_api, title="C", due_at="2026-01-03T12:00:00Z", status="in_progress"),
    ]
    with app.app_context():
        for day, task in enumerate(made):
            moment = NOON + (day - 1) * DAY
            set_values(Task, task["id"], created_at=moment, updated_at=moment)
        set_values(Task, made[1]["id"], completed_at=NOON)
    return made


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("assignee_id=none", "BC"),
        ("due_at=none", "A"),
        ("due_at=none&assignee_id=none", ""),
        (f"created_before={AT}", "A"),
        (f"created_after={AT}&created_before=2026-01-03T12:00:00Z", "B"),
        (f"updated_before={AT}", "A"),
        (f"updated_after={AT}&updated_before=2026-01-03T12:00:00Z", "B"),
        (f"completed_after={AT}", "B"),
        ("completed_after=2026-01-02T12:00:00.000001Z", ""),
        (f"completed_before={AT}", ""),
        ("completed_before=2026-01-02T12:00:00.000001Z", "B"),
        ("completed_after=0001-01-01T00:00:00Z&status=todo", ""),
    ],
)
def test_filter_finds_what_it_names(ann_api: Api, query: str, found: str) -> None:
    assert titles(ann_api, f"{query}&sort=title") == found
    counted = ann_api.get(f"/tasks?{query}&count=true&limit=1").get_json()
    assert counted["total"] == len(found)
    exported = ann_api.get(f"/tasks/export?format=ndjson&{query}&sort=title").text
    assert exported.count("\n") == len(found)


def test_several_ids_find_their_tasks(ann_api: Api, three: list[dict[str, Any]]) -> None:
    ids = [task["id"] for task in three]
    assert titles(ann_api, f"sort=title&id={ids[0]}") == "A"
    assert titles(ann_api, f"sort=title&id={ids[2]}&id={ids[0].upper()}&id={MISSING}") == "AC"
    every = "&".join(f"id={each}" for each in ids * 33 + [MISSING])
    assert titles(ann_api, f"sort=title&{every}") == "ABC"
    assert titles(ann_api, f"sort=title&{every}&status=done") == "B"


def test_ids_of_others_find_nothing(bob_api: Api, three: list[dict[str, Any]]) -> None:
    assert titles(bob_api, f"id={three[0]['id']}") == ""


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("&".join([f"id={MISSING}"] * 101), "id"),
        ("id=x", "id"),
        ("assignee_id=None", "assignee_id"),
        ("assignee_id=", "assignee_id"),
        ("owner_id=none", "owner_id"),
        ("due_at=2026-01-01T00:00:00Z", "due_at"),
        ("due_at=none&due_at=none", "due_at"),
        ("created_before=now", "created_before"),
        ("completed_after=", "completed_after"),
    ],
)
def test_bad_filter_is_refused_by_its_name(ann_api: Api, query: str, name: str) -> None:
    for path in ("/tasks?", "/tasks/export?format=csv&"):
        answer = ann_api.get(path + query)
        assert slug_of(answer) == (422, "invalid-parameter")
        assert set(blamed(answer)) == {name}


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("status=todo&status=done", "status=done&status=todo&status=done"),
        ("label=x&label=y", "label=y&label=x&label=x"),
        ("priority=low&priority=normal", "priority=normal&priority=low"),
        ("id={0}&id={1}", "id={1}&id={0}&id={0}"),
    ],
)
def test_repeated_filter_is_a_set_to_the_cursor(
    ann_api: Api, three: list[dict[str, Any]], first: str, then: str
) -> None:
    ids = [task["id"] for task in three]
    page = ann_api.get(f"/tasks?limit=1&sort=title&{first.format(*ids)}").get_json()
    path = f"/tasks?limit=1&sort=title&{then.format(*ids)}&cursor={page['next_cursor']}"
    following = ann_api.get(path)
    assert [task["title"] for task in (*page["items"], *following.get_json()["items"])] == [
        "A",
        "B",
    ]


def test_cursor_of_other_values_is_refused(ann_api: Api, three: list[dict[str, Any]]) -> None:
    cursor = ann_api.get("/tasks?limit=1&due_at=none&assignee_id=none").get_json()["next_cursor"]
    assert cursor is None
    cursor = ann_api.get("/tasks?limit=1&assignee_id=none").get_json()["next_cursor"]
    for query in ("", f"&assignee_id={three[0]['owner_id']}", "&due_at=none"):
        answer = ann_api.get(f"/tasks?limit=1&cursor={cursor}{query}")
        assert slug_of(answer) == (422, "invalid-parameter")


@pytest.mark.usefixtures("three")
def test_pages_of_filtered_lists_are_whole(ann_api: Api) -> None:
    found = pages(ann_api, "limit=1&assignee_id=none&sort=title")
    assert [task["title"] for task in found] == ["B", "C"]
