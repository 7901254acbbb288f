"""A form that creates a record and is sent twice creates it once."""

import html
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask

from app.models import Comment, Task
from app.services.shared.actor import Actor
from tests.conftest import signed_in_browser
from tests.pages.test_tasks_pages import make
from tests.support.clients import Browser
from tests.support.rows import rows

NEW = "/tasks/new"


def id_in(page: str) -> str:
    found = re.search(r'name="form_id" value="([^"]*)"', page)
    assert found
    return html.unescape(found[1])


def number(app: Flask, model: type[Task | Comment]) -> int:
    with app.app_context():
        return len(rows(model))


@pytest.mark.parametrize("shown", [NEW, "/tasks"])
def test_form_that_is_sent_twice_makes_one(app: Flask, ann_browser: Browser, shown: str) -> None:
    typed = {"title": "Prune", "form_id": id_in(ann_browser.get(shown).text)}
    first, second = (ann_browser.post(NEW, typed, form=shown) for _ in range(2))
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.location == second.location
    assert number(app, Task) == 1
    ann_browser.post(NEW, {**typed, "title": "Prune more"}, form=shown)  # by the back button
    assert number(app, Task) == 2
    ann_browser.post(NEW, {**typed, "form_id": id_in(ann_browser.get(shown).text)}, form=shown)
    assert number(app, Task) == 3


def test_comment_that_is_sent_twice_is_made_once(
    app: Flask, ann: Actor, ann_browser: Browser
) -> None:
    page = f"/tasks/{make(app, ann).id}"
    typed = {"body": "Now?", "form_id": id_in(ann_browser.get(page).text)}
    for _ in range(2):
        assert ann_browser.post(f"{page}/comments", typed, form=page).status_code == 303
    assert number(app, Comment) == 1


def test_form_that_failed_is_sent_again(app: Flask, ann_browser: Browser) -> None:
    typed = {"title": "Prune", "assignee": "nobody", "form_id": id_in(ann_browser.get(NEW).text)}
    assert ann_browser.post(NEW, typed, form=NEW).status_code == 422
    assert number(app, Task) == 0
    assert ann_browser.post(NEW, {**typed, "assignee": ""}, form=NEW).status_code == 303
    assert number(app, Task) == 1


@pytest.mark.parametrize("sent", ["", "x", "\0", "\u2028" * 40])
def test_form_without_an_id_is_as_any_other(app: Flask, ann_browser: Browser, sent: str) -> None:
    for _ in range(2):
        answer = ann_browser.post(NEW, {"title": "Prune", "form_id": sent}, form=NEW)
        assert answer.status_code == 303
    assert number(app, Task) == 2


def test_form_of_another_is_another(app: Flask, ann_browser: Browser, bob_browser: Browser) -> None:
    typed = {"title": "Prune", "form_id": id_in(ann_browser.get(NEW).text)}
    for browser in (ann_browser, bob_browser):
        assert browser.post(NEW, typed, form=NEW).status_code == 303
    assert number(app, Task) == 2


def test_form_that_is_sent_by_twenty_at_once_makes_one(app: Flask, ann: Actor) -> None:
    browsers = [signed_in_browser(app, ann) for _ in range(20)]
    typed = {"title": "Prune", "form_id": id_in(browsers[0].get(NEW).text)}
    for browser in browsers:
        browser.get(NEW)
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda browser: browser.post(NEW, typed, form=NEW), browsers))
    assert {answer.status_code for answer in answers} == {303}
    assert len({answer.location for answer in answers}) == 1
    assert number(app, Task) == 1
