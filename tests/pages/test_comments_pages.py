"""Comments on the page of a task: read, write, change and delete."""

import re

import pytest
from flask import Flask

from app.models import Comment
from app.models.comment import BODY_MAX
from app.services.shared.actor import Actor
from app.services.tasks import comments
from tests.pages.test_tasks_pages import make
from tests.support.answers import MISSING
from tests.support.clients import Browser
from tests.support.rows import rows

BODY = re.compile(r'id="comment-[^"]+">.*?<p class="description">([^<]*)</p>', re.DOTALL)


def say(app: Flask, actor: Actor, task_id: str, body: str = "Which milk?") -> Comment:
    with app.app_context():
        return comments.create(actor, task_id, body)


def bodies(app: Flask) -> list[str]:
    with app.app_context():
        return [row.body for row in rows(Comment)]


def address(comment: Comment, act: str) -> str:
    return f"/tasks/{comment.task_id}/comments/{comment.id}/{act}"


def test_a_comment_is_added_and_shown_in_the_history(
    app: Flask, ann: Actor, ann_browser: Browser
) -> None:
    path = f"/tasks/{make(app, ann).id}"
    answer = ann_browser.post(f"{path}/comments", {"body": "one\r\n<b>two</b>"}, form=path)
    assert answer.status_code == 303
    assert re.fullmatch(rf"{path}#comment-[0-9a-f-]+", answer.location)
    page = ann_browser.get(path).text
    assert BODY.findall(page) == ["one\n&lt;b&gt;two&lt;/b&gt;"]
    assert re.search("<strong>ann</strong> commented", page)


@pytest.mark.parametrize("body", ["", "x" * (BODY_MAX + 1), "a\0b"], ids=["empty", "long", "NUL"])
def test_a_refused_comment_keeps_what_was_typed(
    app: Flask, ann: Actor, ann_browser: Browser, body: str
) -> None:
    path = f"/tasks/{make(app, ann).id}"
    answer = ann_browser.post(f"{path}/comments", {"body": body}, form=path)
    assert answer.status_code == 422
    assert 'id="error-body"' in answer.text
    assert body.replace("\0", "�")[:1] in answer.text
    assert bodies(app) == []


def test_comments_are_read_to_their_end_the_oldest_first(
    app: Flask, ann: Actor, ann_browser: Browser
) -> None:
    path = f"/tasks/{make(app, ann).id}"
    for number in range(45):
        say(app, ann, path.removeprefix("/tasks/"), str(number))
    seen: list[str] = []
    following = path
    while following:
        page = ann_browser.get(following).text
        seen += BODY.findall(page)
        found = re.search(r'rel="next" href="([^"]+)"', page)
        following = found[1].replace("&amp;", "&") if found else ""
    assert seen == [str(number) for number in range(45)]


def test_a_new_comment_on_a_later_page_is_led_to(
    app: Flask, ann: Actor, ann_browser: Browser
) -> None:
    path = f"/tasks/{make(app, ann).id}"
    for number in range(25):
        say(app, ann, path.removeprefix("/tasks/"), str(number))
    answer = ann_browser.post(f"{path}/comments", {"body": "last"}, form=path)
    assert BODY.findall(ann_browser.get(answer.location).text) == ["last"]


def test_a_foreign_cursor_shows_the_first_comments(
    app: Flask, ann: Actor, ann_browser: Browser
) -> None:
    task = make(app, ann)
    say(app, ann, task.id)
    page = ann_browser.get(f"/tasks/{task.id}?cursor=AAAA").text
    assert "no longer exists" in page
    assert BODY.findall(page) == ["Which milk?"]


def test_its_author_changes_a_comment(app: Flask, ann: Actor, ann_browser: Browser) -> None:
    comment = say(app, ann, make(app, ann).id)
    path = address(comment, "edit")
    assert ">Which milk?</textarea>" in re.sub(r"\s*\n", "", ann_browser.get(path).text)
    assert ann_browser.post(path, {"body": "", "version": 1}).status_code == 422
    answer = ann_browser.post(path, {"body": "Oat milk", "version": 1})
    assert answer.location.endswith(f"#comment-{comment.id}")
    assert bodies(app) == ["Oat milk"]


def test_a_change_over_a_newer_one_shows_both(app: Flask, ann: Actor, ann_browser: Browser) -> None:
    path = address(say(app, ann, make(app, ann).id), "edit")
    ann_browser.post(path, {"body": "Theirs", "version": 1}, form=path)
    answer = ann_browser.post(path, {"body": "Mine", "version": 1})
    assert answer.status_code == 412
    assert "<pre>Theirs</pre>" in answer.text
    assert 'name="version" value="2"' in answer.text
    assert ann_browser.post(path, {"body": "Mine", "version": 2}).status_code == 303
    assert bodies(app) == ["Mine"]


def test_its_author_removes_a_comment(app: Flask, ann: Actor, ann_browser: Browser) -> None:
    comment = say(app, ann, make(app, ann).id)
    answer = ann_browser.post(address(comment, "delete"))
    assert answer.location == f"/tasks/{comment.task_id}#comments"
    assert bodies(app) == []


def test_the_owner_removes_what_another_said_and_does_not_change_it(
    app: Flask, ann: Actor, bob: Actor, ann_browser: Browser
) -> None:
    comment = say(app, bob, make(app, ann, assignee_id=bob.id).id)
    page = ann_browser.get(f"/tasks/{comment.task_id}").text
    assert address(comment, "edit") not in page
    assert address(comment, "delete") in page
    assert ann_browser.get(address(comment, "edit")).status_code == 403
    assert ann_browser.post(address(comment, "edit"), {"body": "x"}).status_code == 403
    assert ann_browser.post(address(comment, "delete")).status_code == 303


def test_the_assignee_removes_nothing_of_the_owner(
    app: Flask, ann: Actor, bob: Actor, bob_browser: Browser
) -> None:
    comment = say(app, ann, make(app, ann, assignee_id=bob.id).id)
    assert address(comment, "delete") not in bob_browser.get(f"/tasks/{comment.task_id}").text
    assert bob_browser.post(address(comment, "delete")).status_code == 403


def test_a_stranger_s_comments_are_as_those_that_are_not_there(
    app: Flask, ann: Actor, bob_browser: Browser
) -> None:
    comment = say(app, ann, make(app, ann).id)
    for task_id in (comment.task_id, MISSING):
        path = f"/tasks/{task_id}/comments"
        assert bob_browser.post(path, {"body": "x"}, form="/").status_code == 404
        assert bob_browser.get(f"{path}/{comment.id}/edit").status_code == 404
        assert bob_browser.post(f"{path}/{comment.id}/delete").status_code == 404
    assert bodies(app) == ["Which milk?"]


def test_a_comment_outlives_its_author_without_the_name(
    app: Flask, ann: Actor, bob: Actor, root: Actor, ann_browser: Browser, root_browser: Browser
) -> None:
    task = make(app, ann, assignee_id=bob.id)
    say(app, bob, task.id)
    root_browser.post(f"/admin/users/{bob.id}/delete", form=f"/admin/users/{bob.id}/delete")
    assert "Deleted user" in ann_browser.get(f"/tasks/{task.id}").text
