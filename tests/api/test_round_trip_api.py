"""An import of an export restores the tasks in any later state of the database."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from app.models import Task
from app.models.types import now, uuid7
from app.services.shared.actor import Actor
from tests.api.test_export_api import export, lines
from tests.api.test_import_api import KINDS, send
from tests.api.test_tasks_api import make
from tests.support.answers import slug_of
from tests.support.clients import Api
from tests.support.rows import rows, set_values

World = Callable[[Flask, Api, Actor], None]
MOMENT = "2020-01-01T00:00:00Z"


def import_(api: Api, kind: str, content: str) -> dict[str, Any]:
    answer = send(api, kind, content)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def ndjson(*tasks: dict[str, Any]) -> str:
    return "\n".join(json.dumps({"title": "x", **task}) for task in tasks)


def deactivate(app: Flask, root_api: Api, person: Actor) -> None:
    root_api.patch(f"/users/{person.id}", {"is_active": False})


def delete(app: Flask, root_api: Api, person: Actor) -> None:
    root_api.delete(f"/users/{person.id}")


def rename(app: Flask, root_api: Api, person: Actor) -> None:
    assert root_api.patch(f"/users/{person.id}", {"username": "robert"}).status_code == 200


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("change", [deactivate, delete])
def test_assignee_who_left_is_left_out_and_reported(
    app: Flask, ann_api: Api, root_api: Api, bob: Actor, kind: str, change: World
) -> None:
    make(ann_api, title="first")
    make(ann_api, title="second", assignee_id=bob.id)
    exported = export(ann_api, f"format={kind}&sort=created_at")
    change(app, root_api, bob)
    answer = import_(ann_api, kind, exported)
    assert answer["created"] == 2
    (warning,) = answer["warnings"]
    assert warning["line"] == (3 if kind == "csv" else 2)
    assert (warning["pointer"], warning["code"]) == ("/assignee_id", "not_found")
    assert "bob" in warning["detail"]
    assert lines(ann_api, "sort=-created_at")[0]["assignee_id"] is None


@pytest.mark.parametrize("kind", KINDS)
def test_assignee_who_was_renamed_is_known_by_id(
    app: Flask, ann_api: Api, root_api: Api, bob: Actor, kind: str
) -> None:
    make(ann_api, assignee_id=bob.id)
    exported = export(ann_api, f"format={kind}")
    rename(app, root_api, bob)
    assert import_(ann_api, kind, exported) == {"created": 1, "warnings": []}
    assert [task["assignee"] for task in lines(ann_api)] == ["robert", "robert"]


@pytest.mark.parametrize("kind", KINDS)
def test_assignee_of_another_database_is_known_by_name(ann_api: Api, bob: Actor, kind: str) -> None:
    make(ann_api, assignee_id=bob.id)
    exported = export(ann_api, f"format={kind}").replace(bob.id, uuid7())
    assert import_(ann_api, kind, exported) == {"created": 1, "warnings": []}
    assert {task["assignee_id"] for task in lines(ann_api)} == {bob.id}


@pytest.mark.parametrize(
    ("given", "found", "pointer"),
    [
        ({"assignee": "BOB"}, "bob", ""),
        ({"assignee": " bob "}, "bob", ""),
        ({"assignee": ""}, None, ""),
        ({"assignee": None, "assignee_id": None}, None, ""),
        ({"assignee": "bob", "assignee_id": "17"}, "bob", ""),
        ({"assignee": "carol"}, None, "/assignee"),
        ({"assignee": "carol", "assignee_id": "17"}, None, "/assignee_id"),
        ({"assignee_id": "17"}, None, "/assignee_id"),
        ({"assignee": "b\u00f6b"}, None, "/assignee"),
        ({"assignee": "x" * 10_000}, None, "/assignee"),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.usefixtures("bob")
def test_name_counts_where_the_id_is_no_active_user(
    ann_api: Api, kind: str, given: dict[str, Any], found: str | None, pointer: str
) -> None:
    cells = ",".join(given[name] or "" for name in given)
    content = f"title,{','.join(given)}\nx,{cells}\n" if kind == "csv" else ndjson(given)
    warnings = import_(ann_api, kind, content)["warnings"]
    assert [warning["pointer"] for warning in warnings] == ([pointer] if pointer else [])
    assert lines(ann_api)[0]["assignee"] == found


def test_id_of_an_active_user_counts_before_the_name(ann_api: Api, ann: Actor, bob: Actor) -> None:
    import_(ann_api, "ndjson", ndjson({"assignee_id": bob.id.upper(), "assignee": "ann"}))
    assert lines(ann_api)[0]["assignee_id"] == bob.id


def test_every_unknown_assignee_is_reported_by_its_line(ann_api: Api) -> None:
    content = "title,assignee,description\n" + 'x,carol,\ny,,"y\ny"\nz,dave,\n' * 300
    warnings = import_(ann_api, "csv", content)["warnings"]
    expected = [line for start in range(2, 1202, 4) for line in (start, start + 3)]
    assert [warning["line"] for warning in warnings] == expected


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sort", ["created_at", "-created_at", "title", "-due_at", "priority"])
def test_list_by_created_at_reads_the_same_after_an_import(
    app: Flask, ann_api: Api, bob_api: Api, kind: str, sort: str
) -> None:
    for title in "cadbfe":
        make(ann_api, title=title, due_at=MOMENT if title < "c" else None)
    with app.app_context():  # pairs with equal times
        for number, task in enumerate(rows(Task)):
            moment = now().replace(year=2000 + number // 2, microsecond=0)
            set_values(Task, task.id, created_at=moment)
    import_(bob_api, kind, export(ann_api, f"format={kind}&sort={sort}"))
    for order in ("created_at", "-created_at"):
        before, after = lines(ann_api, f"sort={order}"), lines(bob_api, f"sort={order}")
        assert [task["title"] for task in after] == [task["title"] for task in before]
    assert [task["created_at"] for task in after] == [task["created_at"] for task in before]


def test_rows_without_a_date_are_listed_in_the_order_of_the_file(ann_api: Api) -> None:
    import_(ann_api, "csv", "title,created_at\nc,\na,\nd,2000-01-01T00:00:00Z\nb,\n")
    assert [task["title"] for task in lines(ann_api, "sort=created_at")] == ["d", "c", "a", "b"]


@pytest.mark.parametrize("kind", KINDS)
def test_dates_of_the_past_are_kept(ann_api: Api, kind: str) -> None:
    content = {
        "csv": f"title,status,created_at,completed_at\nx,done,{MOMENT},2021-01-01T01:00:00+01:00\n",
        "ndjson": ndjson(
            {"status": "done", "created_at": MOMENT, "completed_at": "2021-01-01T01:00:00+01:00"}
        ),
    }[kind]
    assert import_(ann_api, kind, content) == {"created": 1, "warnings": []}
    (task,) = lines(ann_api)
    assert (task["created_at"], task["completed_at"]) == (MOMENT, "2021-01-01T00:00:00Z")
    assert task["updated_at"] > "2026"


def test_date_of_the_future_becomes_that_of_the_import(ann_api: Api) -> None:
    later = {"created_at": "9999-01-01T00:00:00Z", "completed_at": "9998-01-01T00:00:00Z"}
    answer = import_(ann_api, "ndjson", ndjson({"status": "done", **later}))
    assert [(one["pointer"], one["code"]) for one in answer["warnings"]] == [
        ("/created_at", "out_of_range"),
        ("/completed_at", "out_of_range"),
    ]
    (task,) = lines(ann_api)
    assert task["created_at"] < "9000"
    assert task["completed_at"] < "9000"


def test_task_that_is_not_done_has_no_completion(ann_api: Api) -> None:
    answer = import_(ann_api, "ndjson", ndjson({"status": "todo", "completed_at": MOMENT}))
    assert answer["warnings"] == []
    assert lines(ann_api)[0]["completed_at"] is None


@pytest.mark.parametrize("name", ["created_at", "completed_at"])
@pytest.mark.parametrize("value", ["yesterday", "2020-01-01", "2020-01-01T00:00:00", "0"])
@pytest.mark.parametrize("kind", KINDS)
def test_date_that_is_no_moment_is_refused(ann_api: Api, kind: str, name: str, value: str) -> None:
    content = f"title,{name}\nx,{value}\n" if kind == "csv" else ndjson({name: value})
    answer = send(ann_api, kind, content)
    assert slug_of(answer) == (422, "invalid-lines")
    assert [fault["pointer"] for fault in answer.get_json()["errors"]] == [f"/{name}"]
    assert lines(ann_api) == []


def test_event_of_an_imported_task_has_its_dates(ann_api: Api) -> None:
    import_(ann_api, "ndjson", ndjson({"created_at": MOMENT}))
    task = lines(ann_api)[0]["id"]
    (event,) = ann_api.get(f"/tasks/{task}/events").get_json()["items"]
    assert event["changes"]["created_at"] == [None, MOMENT]
    assert event["created_at"] > "2026"
