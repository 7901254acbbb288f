"""The board: a column for each status, and moves of cards between columns."""

import re

import pytest
from flask import Flask

from app.models.task import STATUSES
from app.services.shared.actor import Actor
from tests.pages.test_tasks_pages import ODD_QUERIES, make, read, titles
from tests.support.clients import Browser

COLUMN = re.compile(r'data-column="(\w+)"(.*?)</section>', re.DOTALL)


def columns(page: str) -> dict[str, list[str]]:
    return {status: titles(inner) for status, inner in COLUMN.findall(page)}


def test_each_task_stands_in_the_column_of_its_status(
    app: Flask, ann: Actor, ann_browser: Browser
) -> None:
    for status in STATUSES:
        make(app, ann, f"Is {status}", status=status)
    page = ann_browser.get("/tasks/board").text
    assert columns(page) == {status: [f"Is {status}"] for status in STATUSES}


def test_what_is_urgent_stands_on_top(app: Flask, ann: Actor, ann_browser: Browser) -> None:
    for priority in ("low", "urgent", "normal"):
        make(app, ann, priority, priority=priority)
    assert columns(ann_browser.get("/tasks/board").text)["todo"] == ["urgent", "normal", "low"]


def test_a_long_column_leads_to_the_list_with_the_same_filters(
    app: Flask, ann: Actor, ann_browser: Browser
) -> None:
    for number in range(14):
        make(app, ann, f"Milk {number}")
    make(app, ann, "Paint")
    page = ann_browser.get("/tasks/board?q=milk&status=done").text
    assert len(columns(page)["todo"]) == 12
    found = re.search(r'href="([^"]+)">All 14<', page)
    assert found
    assert len(titles(ann_browser.get(found[1].replace("&amp;", "&")).text)) == 14


def test_a_card_is_moved_and_the_board_comes_back(
    app: Flask, ann: Actor, ann_browser: Browser
) -> None:
    task = make(app, ann)
    fields = {"status": "in_progress", "next": "/tasks/board?q=milk"}
    answer = ann_browser.post(f"/tasks/{task.id}/move", fields, form="/tasks/board")
    assert (answer.status_code, answer.location) == (303, "/tasks/board?q=milk")
    assert read(app, ann, task.id).status == "in_progress"
    assert "In progress: Buy milk" in ann_browser.get("/tasks/board").text


@pytest.mark.parametrize("status", ["", "evil", "a\0b"])
def test_there_is_no_other_column(
    app: Flask, ann: Actor, ann_browser: Browser, status: str
) -> None:
    task = make(app, ann)
    assert ann_browser.post(f"/tasks/{task.id}/move", {"status": status}).status_code == 422
    assert read(app, ann, task.id).version == 1


def test_a_stranger_moves_nothing(app: Flask, ann: Actor, bob_browser: Browser) -> None:
    task = make(app, ann)
    assert bob_browser.post(f"/tasks/{task.id}/move", {"status": "done"}).status_code == 404
    assert columns(bob_browser.get("/tasks/board").text)["todo"] == []


@pytest.mark.parametrize("query", [*ODD_QUERIES, "cursor=AAAA", "sort=title&assignee=me"])
def test_an_odd_query_is_passed_over(ann_browser: Browser, query: str) -> None:
    assert ann_browser.get(f"/tasks/board?{query}").status_code == 200


@pytest.mark.parametrize(("path", "name"), [("", "List"), ("/board", "Board"), ("/trash", "Trash")])
def test_the_views_of_tasks_lead_to_each_other(ann_browser: Browser, path: str, name: str) -> None:
    page = ann_browser.get(f"/tasks{path}").text
    views = page.partition('aria-label="Views of your tasks"')[2].partition("</nav>")[0]
    assert views.count("<a ") == 3
    assert re.findall(r'aria-current="page">(\w+)<', views) == [name]
