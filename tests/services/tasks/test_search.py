"""Search by `q`: the hits in API, pages and exports, and an index that matches the tasks."""

from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from hypothesis import given, settings, strategies as st
from sqlalchemy import delete, text, update
from werkzeug.test import TestResponse

from app import sql
from app.extensions import db
from app.models import Task
from app.models.types import uuid7
from app.services.demo import seed as demo
from app.services.shared.actor import Actor
from app.services.shared.paging import PageRequest
from app.services.tasks import handover, search as task_search, search_queries, tasks
from app.services.tasks.bulk import Change, apply
from app.services.users import registration
from app.worker.loop import Worker
from tests.api.test_import_api import take_in
from tests.api.test_tasks_api import make
from tests.conftest import PASSWORD
from tests.services.tasks.test_search_words import TEXTS, matches
from tests.support.clients import Api, Browser
from tests.support.databases import Database
from tests.support.rows import rows, set_values
from tests.support.search_cases import QUERIES, TITLES, found_by


def titles(answer: TestResponse) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [task["title"] for task in answer.get_json()["items"]]


def search(api: Api, query: str, more: str = "") -> list[str]:
    return titles(api.get(f"/tasks?sort=created_at&limit=100&q={quote(query)}{more}"))


def fill(app: Flask, actor: Actor, texts: list[str]) -> None:
    with app.app_context():
        apply(actor, [Change("create", data={"title": title}) for title in texts])


@pytest.fixture
def filled(app: Flask, ann: Actor) -> None:
    fill(app, ann, TITLES)


@pytest.mark.usefixtures("filled")
def test_every_query_finds_what_it_means(ann_api: Api) -> None:
    for query, beginnings in QUERIES:
        assert search(ann_api, query) == found_by(beginnings), query


@pytest.mark.parametrize("few", [0, 1000])
@pytest.mark.usefixtures("filled")
def test_index_and_list_find_the_same(
    ann_api: Api, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NEAR = 0 reads each page from the index, and FEW = 0 from the list."""
    monkeypatch.setattr(search_queries, "NEAR", 0)
    monkeypatch.setattr(search_queries, "FEW", few)
    for query, beginnings in QUERIES:
        assert search(ann_api, query) == found_by(beginnings), query


def test_index_is_not_asked_for_a_list_that_was_read_whole(
    ann_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(ann_api, title="plum")
    monkeypatch.delattr(search_queries, "_rest")
    assert search(ann_api, "plum") == ["plum"]


@pytest.mark.slow
@pytest.mark.parametrize(("near", "few"), [(0, 0), (0, 1000), (3, 0), (1000, 1000)])
@pytest.mark.parametrize("sort", ["created_at", "updated_at", "due_at", "priority", "title"])
@pytest.mark.parametrize("sign", ["", "-"])
def test_pages_of_a_search_hold_every_task_once_in_order(
    ann_api: Api, sort: str, sign: str, near: int, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_queries, "NEAR", near)
    monkeypatch.setattr(search_queries, "FEW", few)
    for number in range(9):
        due = {"due_at": f"2030-01-0{number % 3 + 1}T00:00:00Z"} if number % 2 else {}
        make(ann_api, title=f"{'plum' if number % 4 else 'pear'} {number % 5}", **due)
    whole = [t for t in titles(ann_api.get(f"/tasks?sort={sign}{sort}")) if "plum" in t]
    path, found = f"/tasks?sort={sign}{sort}&limit=2&count=true&q=plum", []
    while path:
        body = ann_api.get(path).get_json()
        assert body["total"] == len(whole)
        found += [task["title"] for task in body["items"]]
        cursor = body["next_cursor"]
        path = cursor and f"/tasks?sort={sign}{sort}&limit=2&count=true&q=plum&cursor={cursor}"
    assert found == whole


@pytest.mark.parametrize("query", ["", " ", "!", "\u200b"])
def test_query_without_a_letter_or_digit_finds_nothing(ann_api: Api, query: str) -> None:
    make(ann_api, title="!")
    body = ann_api.get(f"/tasks?count=true&q={quote(query)}").get_json()
    assert (body["items"], body["total"]) == ([], 0)


def test_longest_queries_are_answered(ann_api: Api) -> None:
    make(ann_api, title="a b", description="\u4f1a\u8bae" * 100)
    for query in ("a b " * 50, "\u4f1a\u8bae" * 100, "a1" * 100, "a." * 100, "\u0e01" * 200):
        assert search(ann_api, query) in ([], ["a b"])
    assert search(ann_api, "\u4f1a\u8bae" * 100) == ["a b"]


def test_description_is_searched_too_and_words_may_lie_apart(ann_api: Api) -> None:
    make(ann_api, title="Water", description="the Pl\u00fcms")
    assert search(ann_api, "plums wat") == ["Water"]


def test_search_is_of_ones_own_tasks(ann_api: Api, bob_api: Api, root_api: Api, bob: Actor) -> None:
    make(ann_api, title="plum of Ann")
    make(ann_api, title="plum for Bob", assignee_id=bob.id)
    assert search(bob_api, "plum") == ["plum for Bob"]
    assert search(root_api, "plum") == ["plum of Ann", "plum for Bob"]
    assert search(ann_api, "plum", f"&assignee_id={bob.id}") == ["plum for Bob"]


def test_search_goes_with_every_other_filter(ann_api: Api) -> None:
    make(ann_api, title="plum", labels=["Tree"], priority="high", due_at="2020-01-01T00:00:00Z")
    make(ann_api, title="plum 2")
    more = "&label=tree&priority=high&status=todo&overdue=true&due_before=2021-01-01T00:00:00Z"
    assert search(ann_api, "plum", more) == ["plum"]


@pytest.mark.usefixtures("filled")
def test_pages_and_exports_search_alike(
    ann_api: Api, ann_browser: Browser, root_browser: Browser
) -> None:
    export = ann_api.get(f"/tasks/export?format=ndjson&q={quote('STRASSE')}").text
    assert (export.count("\n"), "Stra\u00dfe kehren" in export) == (1, True)
    for page in (ann_browser.get("/tasks?q=strasse"), root_browser.get("/admin/tasks?q=strasse")):
        assert ("Stra\u00dfe kehren" in page.text, "node.js" in page.text) == (True, False)
    assert "Stra\u00dfe kehren" in ann_browser.get("/tasks/board?q=strasse").text
    assert "node.js" not in ann_browser.get("/tasks?q=!!").text


@pytest.mark.parametrize("query", ["\u00c1NN", "an\u00adn", "\uff41\uff4e\uff4e", "ANN@EX"])
@pytest.mark.usefixtures("ann")
def test_search_for_people_folds_alike(root_api: Api, query: str) -> None:
    found = root_api.get(f"/users?q={quote(query)}").get_json()["items"]
    assert [user["username"] for user in found] == ["ann"]


# The index matches the tasks after every kind of change.


def assert_in_step(app: Flask) -> None:
    """Assert that every task has the words of its text, and that the index holds exactly these."""
    with app.app_context():
        stored = rows(Task)
        for task in stored:
            words = set(task_search.words_of(task.title, task.description).split())
            assert set((task.search_words or "").replace("'", "").split()) == words
            assert task.search_version == task.version
        if sql.request_connection().dialect.name == "sqlite":
            assert in_fts5() == in_column()


def in_fts5() -> set[tuple[int, str]]:
    with db.engine.connect() as connection:
        vocabulary = "CREATE VIRTUAL TABLE temp.v USING fts5vocab(main, task_search, instance)"
        connection.execute(text(vocabulary))
        found = {(row.doc, row.term) for row in connection.execute(text("SELECT * FROM temp.v"))}
        connection.execute(text("DROP TABLE temp.v"))
    return found


def in_column() -> set[tuple[int, str]]:
    with db.engine.connect() as connection:
        found = connection.execute(text("SELECT search_id, search_words FROM tasks")).all()
    return {(row.search_id, word) for row in found for word in row.search_words.split(" ") if word}


def test_index_follows_every_change(app: Flask, ann_api: Api, bob: Actor) -> None:
    task = make(ann_api, title="apple", description="pear", assignee_id=bob.id)
    path = f"/tasks/{task['id']}"
    steps: list[tuple[str, str, Any, str, str]] = [
        ("PATCH", path, {"title": "quince"}, "quince pear", "apple"),
        ("PATCH", path, {"description": "medlar"}, "quince medlar", "pear"),
        ("PATCH", path, {"status": "done"}, "quince medlar", "pear"),
        ("PUT", path, {"title": "sloe"}, "sloe", "medlar"),
    ]
    for method, where, body, found, lost in steps:
        assert ann_api.call(method, where, json=body).status_code == 200
        assert (search(ann_api, found) != [], search(ann_api, lost)) == (True, [])
        assert_in_step(app)
    ann_api.delete(path)
    assert (search(ann_api, "sloe"), search(ann_api, "sloe", "&trashed=true")) == ([], ["sloe"])
    ann_api.post(f"{path}/restore")
    assert search(ann_api, "sloe") == ["sloe"]
    with app.app_context():
        handover.of_leaving(bob, bob.id)
    assert_in_step(app)


def test_index_follows_bulk_import_and_removal(app: Flask, ann: Actor, ann_api: Api) -> None:
    task = make(ann_api, title="old")
    operations = [
        {"op": "create", "data": {"title": "Stra\u00dfe"}},
        {"op": "update", "id": task["id"], "data": {"title": "new"}},
    ]
    assert ann_api.post("/tasks/bulk", {"operations": operations}).status_code == 200
    take_in(ann_api, "csv", "title,description\n\u4f1a\u8bae,x\n")
    assert [search(ann_api, query) for query in ("strasse", "new", "old", "\u8bae")] == [
        ["Stra\u00dfe"],
        ["new"],
        [],
        ["\u4f1a\u8bae"],
    ]
    assert_in_step(app)
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(delete(Task).where(Task.title != "new"))
    assert_in_step(app)


def test_demo_data_can_be_searched(app: Flask) -> None:
    with app.app_context():
        demo.seed()
    assert_in_step(app)


# The previous release knows no search words, and still runs during a rollout.

OLD_INSERT = """
INSERT INTO tasks (id, title, description, status, priority, labels, label_keys, owner_id,
                   created_at, updated_at, version)
SELECT :id, :title, description, status, priority, labels, label_keys, owner_id,
       created_at, updated_at, 1
FROM tasks WHERE id = :like
"""


def as_old_code(app: Flask, task_id: str) -> str:
    """Store another task and another title without search words. Return the new task's id."""
    new = uuid7()
    with app.app_context(), db.engine.begin() as connection:
        row = {"id": new, "title": "written by old code", "like": task_id}
        connection.execute(text(OLD_INSERT), row)
        changes = {"title": "changed by old code", "version": Task.version + 1}
        connection.execute(update(Task).where(Task.id == task_id).values(changes))
    return new


@pytest.mark.parametrize("by", ["service", "worker"])
def test_what_old_code_stores_is_indexed_afterwards(app: Flask, ann_api: Api, by: str) -> None:
    new = as_old_code(app, make(ann_api, title="plum")["id"])
    assert search(ann_api, "code") == []
    if by == "service":
        with app.app_context():
            assert task_search.catch_up() == 2
            assert task_search.catch_up() == 0
    else:
        with app.app_context():
            Worker(app, {}, 1)._keep_up()
    assert search(ann_api, "code") == ["changed by old code", "written by old code"]
    assert search(ann_api, "plum") == []
    assert ann_api.delete(f"/tasks/{new}").status_code == 204
    assert_in_step(app)


def test_change_of_something_else_does_not_pass_for_indexing(app: Flask, ann_api: Api) -> None:
    new = as_old_code(app, make(ann_api, title="plum")["id"])
    ann_api.patch(f"/tasks/{new}", {"status": "done"})
    with app.app_context():
        assert task_search.catch_up() == 2
    assert_in_step(app)


def test_indexing_changes_nothing_that_is_shown(app: Flask, ann_api: Api) -> None:
    task = make(ann_api, title="plum", labels=["a"])
    with app.app_context():
        set_values(Task, task["id"], search_version=None, label_keys=["old"])
        task_search.catch_up()
    assert ann_api.get(f"/tasks/{task['id']}").get_json() == task
    assert search(ann_api, "plum", "&label=A") == ["plum"]


def test_labels_of_before_are_found_in_any_form(app: Flask, ann_api: Api) -> None:
    task = make(ann_api, title="plum")
    old = {"labels": ["cafe\u0301"], "label_keys": ["cafe\u0301"], "search_version": None}
    with app.app_context():
        set_values(Task, task["id"], **old)
        task_search.catch_up()
    assert search(ann_api, "plum", "&label=CAF%C3%89") == ["plum"]


def test_more_tasks_than_a_batch_are_indexed(app: Flask, ann: Actor, ann_api: Api) -> None:
    fill(app, ann, [f"plum {number}" for number in range(100)])
    fill(app, ann, [f"pear {number}" for number in range(100)])
    make(ann_api, title="plum and pear")
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(update(Task).values(search_version=None))
    with app.app_context():
        assert task_search.catch_up() == 201
        assert len(tasks.page(ann, PageRequest(200), filters={"q": "pear"}).items) == 101


@pytest.fixture
def both(sqlite_database: Database, postgresql_database: Database) -> dict[Flask, Actor]:
    """Both databases, each with one user."""
    people = {}
    for database in (sqlite_database, postgresql_database):
        database.empty()
        with database.app.app_context():
            user = registration.register(Actor(), "ann", "ann@example.com", PASSWORD)
        people[database.app] = Actor(id=user.id)
    return people


FEW = st.lists(TEXTS.filter(lambda one: "\0" not in one), min_size=1, max_size=6)
CUTS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 39), st.integers(1, 6)), max_size=6)


@settings(max_examples=25)
@given(texts=FEW, queries=FEW, cuts=CUTS)
def test_both_databases_find_what_the_words_say(
    both: dict[Flask, Actor],
    texts: list[str],
    queries: list[str],
    cuts: list[tuple[int, int, int]],
) -> None:
    """Queries are other texts and parts of the texts: `cuts` are (text, start, length)."""
    pieces = [texts[which % len(texts)][start : start + size] for which, start, size in cuts]
    asked = [*queries, *pieces]
    wanted = [[matches(one, query) for one in texts] for query in asked]
    for app, actor in both.items():
        assert hits(app, actor, texts, asked) == wanted


def hits(app: Flask, actor: Actor, texts: list[str], queries: list[str]) -> list[list[bool]]:
    """Return for each query the texts that it finds, stored as descriptions of tasks."""
    with app.app_context():
        with db.engine.begin() as connection:
            connection.execute(delete(Task))
        ids = [tasks.create(actor, {"title": "-", "description": one}).id for one in texts]
        pages = [tasks.page(actor, filters={"q": one}) for one in queries]
        found = [{task.id for task in page.items} for page in pages]
    return [[task_id in one for task_id in ids] for one in found]
