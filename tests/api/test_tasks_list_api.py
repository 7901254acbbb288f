"""The list of tasks by the API: filters, orders, paging, counting, cursors."""

import re
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask

from app.models import Task
from app.services.shared.actor import Actor
from tests.api.test_tasks_api import make, patch
from tests.conftest import signed_in_api
from tests.support.answers import MISSING, blamed, slug_of
from tests.support.clients import Api
from tests.support.rows import age, set_values

LINK = re.compile(r'<http://localhost:8000(/api/v1/tasks\?[^>]+)>; rel="next"')
FRUIT: list[dict[str, Any]] = [
    {"title": "Apple", "labels": ["Tree"], "priority": "low", "due_at": "2020-01-02T00:00:00Z"},
    {"title": "banana", "labels": ["herb"], "status": "done", "due_at": "2020-01-01T00:00:00Z"},
    {"title": "cherry", "labels": ["tree", "red"], "priority": "urgent", "status": "in_progress"},
    {"title": "Date", "description": "apple and cherry", "due_at": "2999-01-01T00:00:00Z"},
]


def titles(api: Api, query: str = "sort=title") -> str:
    """Return the first letters of the titles."""
    answer = api.get(f"/tasks?{query}")
    assert answer.status_code == 200, answer.text
    return "".join(task["title"][0] for task in answer.get_json()["items"])


def pages(api: Api, query: str) -> list[dict[str, Any]]:
    """Return the items of all pages, by following the links."""
    found, path = [], f"/api/v1/tasks?{query}"
    while path:
        answer = api.get(path)
        found += answer.get_json()["items"]
        link = answer.headers.get("Link", "")
        match = LINK.fullmatch(link)
        assert bool(match) == bool(link) == bool(answer.get_json()["next_cursor"])
        path = match[1] if match else ""
    return found


@pytest.fixture
def fruit(ann_api: Api) -> list[dict[str, Any]]:
    """Ann's tasks: Apple, banana, cherry, Date, in the order of creation."""
    return [make(ann_api, **values) for values in FRUIT]


@pytest.mark.usefixtures("fruit")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("status=todo", "AD"),
        ("status=todo&status=done&status=done", "AbD"),
        ("priority=low&priority=urgent", "Ac"),
        ("label=TREE", "Ac"),
        ("label=red&label=herb", "bc"),
        ("label=tre", ""),
        ("due_before=2020-01-02T00:00:00Z", "b"),
        ("due_after=2020-01-02T00:00:00Z", "AD"),
        ("due_after=2020-01-02T01:00:00%2B01:00&due_before=2021-01-01T00:00:00Z", "A"),
        ("created_after=2020-01-01T00:00:00Z", "AbcD"),
        ("updated_after=2999-01-01T00:00:00Z", ""),
        ("overdue=true", "A"),
        ("overdue=false", "bcD"),
        ("trashed=false", "AbcD"),
        ("trashed=true", ""),
        ("q=apple", "AD"),
        ("q=CHERRY%20apple", "D"),
        ("q=%20", ""),
        ("q=", ""),
        ("q=apple" + "+cherry" * 26, "D"),
        ("q=apple" + "+cherry" * 26 + "+plum", ""),
        ("q=%25", ""),
        ("q=_", ""),
        ("q='", ""),
        ("status=todo&overdue=true&label=tree&q=apple&priority=low", "A"),
        ("status=done&overdue=true", ""),
        (f"assignee_id={MISSING}", ""),
        (f"owner_id={MISSING}", ""),
    ],
)
def test_filters_together_leave_what_matches_all(ann_api: Api, query: str, found: str) -> None:
    assert titles(ann_api, f"sort=title&{query}") == found


@pytest.mark.usefixtures("fruit")
@pytest.mark.parametrize(
    ("sort", "found"),
    [
        ("created_at", "AbcD"),
        ("-created_at", "DcbA"),
        ("updated_at", "bcDA"),
        ("-updated_at", "ADcb"),
        ("title", "AbcD"),
        ("-title", "DcbA"),
        ("due_at", "bADc"),
        ("-due_at", "DAbc"),
    ],
)
def test_list_is_sorted(ann_api: Api, fruit: list[dict[str, Any]], sort: str, found: str) -> None:
    patch(ann_api, fruit[0], description="Round.")
    assert titles(ann_api, f"sort={sort}") == found


@pytest.mark.usefixtures("fruit")
def test_priorities_are_sorted_by_their_weight(ann_api: Api) -> None:
    assert titles(ann_api, "sort=-priority") == "cDbA"
    assert titles(ann_api, "sort=priority") == "AbDc"


@pytest.mark.usefixtures("fruit")
def test_newest_task_comes_first_by_default(ann_api: Api) -> None:
    assert titles(ann_api, "") == "DcbA"


@pytest.mark.usefixtures("fruit")
def test_search_finds_a_word_by_its_stem(ann_api: Api) -> None:
    assert titles(ann_api, "sort=title&q=cherries") == "cD"


def test_owner_and_assignee_have_the_task_in_their_lists(
    ann_api: Api, bob_api: Api, ann: Actor, bob: Actor
) -> None:
    make(ann_api, title="given", assignee_id=bob.id)
    make(ann_api, title="kept")
    make(bob_api, title="of Bob", assignee_id=bob.id)
    assert titles(bob_api) == "go"
    assert titles(bob_api, f"owner_id={ann.id}") == "g"
    assert titles(ann_api, f"assignee_id={bob.id}") == "g"


def test_admin_has_all_in_the_list(ann_api: Api, bob_api: Api, root_api: Api, ann: Actor) -> None:
    make(ann_api, title="a")
    make(bob_api, title="b")
    assert titles(root_api) == "ab"
    assert titles(root_api, f"owner_id={ann.id}") == "a"


def test_trash_is_its_owners(ann_api: Api, bob_api: Api, bob: Actor) -> None:
    task = make(ann_api, assignee_id=bob.id)
    ann_api.delete(f"/tasks/{task['id']}")
    assert (titles(ann_api, "trashed=true"), titles(bob_api, "trashed=true")) == ("W", "")
    assert titles(ann_api) == ""


@pytest.mark.parametrize("sort", ["created_at", "updated_at", "due_at", "priority", "title"])
@pytest.mark.parametrize("sign", ["", "-"])
def test_pages_hold_every_task_once_in_order(
    app: Flask, ann_api: Api, fruit: list[dict[str, Any]], sort: str, sign: str
) -> None:
    twins = [make(ann_api, **values) for values in FRUIT]
    with app.app_context():  # equal values in every key
        for one, two in zip(fruit, twins, strict=True):
            same = {"created_at": one["created_at"], "updated_at": one["updated_at"]}
            set_values(Task, two["id"], **{name: _moment(value) for name, value in same.items()})
    whole = ann_api.get(f"/tasks?sort={sign}{sort}").get_json()["items"]
    assert len(whole) == 8
    assert pages(ann_api, f"sort={sign}{sort}&limit=1") == whole
    assert pages(ann_api, f"sort={sign}{sort}&limit=3&label=tree&label=red&count=true") == [
        task for task in whole if task["labels"] in (["Tree"], ["tree", "red"])
    ]


def _moment(text: str) -> Any:
    return datetime.fromisoformat(text)


def test_page_is_cut_and_says_where_the_next_one_is(ann_api: Api, fruit: Any) -> None:
    answer = ann_api.get("/tasks?limit=3&sort=title&status=todo&status=done&status=in_progress")
    assert len(answer.get_json()["items"]) == 3
    (path,) = LINK.fullmatch(answer.headers["Link"]).groups()  # type: ignore[union-attr]
    assert path.startswith("/api/v1/tasks?limit=3&sort=title&status=todo&status=done&status=in_")
    assert path.endswith(f"&cursor={quote(answer.get_json()['next_cursor'])}")


def test_last_page_has_no_next_one(ann_api: Api, fruit: Any) -> None:
    answer = ann_api.get("/tasks?limit=4")
    assert (len(answer.get_json()["items"]), answer.get_json()["next_cursor"]) == (4, None)
    assert "Link" not in answer.headers


def test_page_holds_twenty_by_default(ann_api: Api) -> None:
    for number in range(21):
        make(ann_api, title=f"{number:02}")
    assert len(ann_api.get("/tasks").get_json()["items"]) == 20


def test_count_is_of_all_that_match(ann_api: Api, fruit: Any) -> None:
    body = ann_api.get("/tasks?limit=1&count=true&status=todo").get_json()
    assert (len(body["items"]), body["total"]) == (1, 2)
    following = f"/tasks?limit=1&count=true&status=todo&cursor={body['next_cursor']}"
    assert ann_api.get(following).get_json()["total"] == 2


@pytest.mark.parametrize("query", ["", "count=false"])
def test_nothing_is_counted_unasked(ann_api: Api, query: str) -> None:
    assert set(ann_api.get(f"/tasks?{query}").get_json()) == {"items", "next_cursor"}


def test_tasks_that_come_and_go_move_none_of_the_others(
    ann_api: Api, fruit: list[dict[str, Any]]
) -> None:
    first = ann_api.get("/tasks?limit=2").get_json()
    make(ann_api, title="Elder")
    ann_api.delete(f"/tasks/{first['items'][1]['id']}")
    second = ann_api.get(f"/tasks?limit=2&cursor={first['next_cursor']}").get_json()
    seen = [task["title"] for task in first["items"] + second["items"]]
    assert seen == ["Date", "cherry", "banana", "Apple"]


@pytest.fixture
def cursor(ann_api: Api, fruit: Any) -> str:
    """A cursor of Ann's open tasks by title."""
    query = "limit=1&sort=title&status=todo&status=in_progress"
    found: str = ann_api.get(f"/tasks?{query}").get_json()["next_cursor"]
    return found


def follow(api: Api, cursor: str, query: str = "") -> Any:
    base = query or "sort=title&status=todo&status=in_progress"
    return api.get(f"/tasks?{base}&cursor={cursor}")


def test_cursor_goes_with_another_limit(ann_api: Api, cursor: str) -> None:
    assert follow(ann_api, cursor).get_json()["next_cursor"] is None


@pytest.mark.parametrize(
    "query",
    [
        "sort=-title&status=todo&status=in_progress",
        "status=todo&status=in_progress",
        "sort=title&status=todo",
        "sort=title&status=todo&status=in_progress&label=tree",
        "sort=title&status=todo&status=in_progress&trashed=true",
        "sort=title",
    ],
)
def test_cursor_goes_with_its_own_filters_alone(ann_api: Api, cursor: str, query: str) -> None:
    answer = follow(ann_api, cursor, query)
    assert (slug_of(answer), blamed(answer)) == ((422, "invalid-parameter"), ["cursor"])


def test_cursor_of_another_is_foreign(bob_api: Api, root_api: Api, cursor: str) -> None:
    assert [follow(api, cursor).status_code for api in (bob_api, root_api)] == [422, 422]


def test_cursor_of_another_list_is_foreign(root_api: Api, ann: Actor) -> None:
    cursor = root_api.get("/users?limit=1").get_json()["next_cursor"]
    assert root_api.get(f"/tasks?limit=1&cursor={cursor}").status_code == 422


def test_cursor_outlives_the_token(app: Flask, ann: Actor, cursor: str) -> None:
    assert follow(signed_in_api(app, ann), cursor).status_code == 200


def test_cursor_with_a_changed_character_is_forged(ann_api: Api, cursor: str) -> None:
    for index, character in enumerate(cursor):
        forged = cursor[:index] + ("A" if character != "A" else "B") + cursor[index + 1 :]
        assert follow(ann_api, forged).status_code == 422, index


@pytest.mark.parametrize(
    "forged", ["", "x", "A", "A" * 5000, "%00", "%ff", "\u00e9", "-_-_", "a=b"]
)
def test_what_is_no_cursor_is_refused(ann_api: Api, forged: str) -> None:
    assert slug_of(follow(ann_api, quote(forged, safe="%"))) == (422, "invalid-parameter")


@pytest.mark.parametrize("tail", ["A", "=", "==", "%20", "%0A", "+"])
def test_cursor_with_something_behind_it_is_forged(ann_api: Api, cursor: str, tail: str) -> None:
    assert follow(ann_api, cursor + tail).status_code == 422


def test_cursor_is_followed_to_what_has_no_due_date(app: Flask, ann_api: Api) -> None:
    for title in "abc":
        make(ann_api, title=title)
    with app.app_context():
        age(Task, "created_at", timedelta(days=1))
    assert [task["title"] for task in pages(ann_api, "sort=due_at&limit=1")] == ["a", "b", "c"]
    assert [task["title"] for task in pages(ann_api, "sort=-due_at&limit=1")] == ["c", "b", "a"]


@pytest.mark.parametrize("path", ["/tasks?", "/tasks/export?format=csv&"])
def test_label_of_a_filter_is_trimmed(ann_api: Api, path: str) -> None:
    make(ann_api, title="Pear", labels=["Home"])
    make(ann_api, title="Plum")
    text = ann_api.get(f"{path}label=%20home%09").text
    assert ("Pear" in text, "Plum" in text) == (True, False)


@pytest.mark.parametrize("query", ["label=", "label=%20", "label=home&label=", "label=%E2%80%8B"])
def test_label_of_a_filter_may_not_be_blank(ann_api: Api, query: str) -> None:
    answer = ann_api.get(f"/tasks?{query}")
    assert (slug_of(answer), blamed(answer)) == ((422, "invalid-parameter"), ["label"])
