"""Comments on a task by the API: the rights to read, write, change and delete them."""

from typing import Any

import pytest
from flask import Flask

from app.models import Comment
from app.services.accounts import accounts
from app.services.shared.actor import Actor
from tests.api.test_tasks_api import make
from tests.conftest import MakePerson, signed_in_api
from tests.support.answers import MISSING, blamed, slug_of, without_request
from tests.support.clients import Api
from tests.support.races import at_once
from tests.support.rows import events, rows, set_values

FIELDS = {"id", "task_id", "author_id", "body", "created_at", "updated_at"}
MERGE_PATCH = {"Content-Type": "application/merge-patch+json"}


@pytest.fixture
def carl(make_person: MakePerson) -> Actor:
    return make_person("carl")


@pytest.fixture
def carl_api(app: Flask, carl: Actor) -> Api:
    """The assignee's client."""
    return signed_in_api(app, carl)


@pytest.fixture
def path(ann_api: Api, carl: Actor) -> str:
    """The path of the comments on Ann's task, which is assigned to Carl."""
    return f"/tasks/{make(ann_api, assignee_id=carl.id)['id']}/comments"


def say(api: Api, path: str, body: str = "Ripe.") -> dict[str, Any]:
    answer = api.post(path, {"body": body})
    assert answer.status_code == 201, answer.text
    said: dict[str, Any] = answer.get_json()
    return said


def bodies(api: Api, path: str) -> list[str]:
    return [comment["body"] for comment in api.get(path).get_json()["items"]]


def test_new_comment_is_found_where_location_says(ann: Actor, ann_api: Api, path: str) -> None:
    answer = ann_api.post(path, {"body": " Ripe.\n\n\U0001f351 "})
    made, found = answer.get_json(), ann_api.get(answer.headers["Location"])
    assert (found.get_json(), found.headers["ETag"]) == (made, answer.headers["ETag"])
    assert (made["body"], made["author_id"]) == (" Ripe.\n\n\U0001f351 ", ann.id)
    assert made.keys() == FIELDS
    assert path == f"/tasks/{made['task_id']}/comments"


def test_owner_assignee_and_admin_comment(
    ann_api: Api, carl_api: Api, root_api: Api, path: str
) -> None:
    for api, body in ((ann_api, "a"), (carl_api, "c"), (root_api, "r")):
        say(api, path, body)
    for api in (ann_api, carl_api, root_api):
        assert bodies(api, path) == ["a", "c", "r"]


def test_task_of_another_has_no_comments(ann_api: Api, bob_api: Api, path: str) -> None:
    comment = say(ann_api, path)
    one, none = f"{path}/{comment['id']}", f"/tasks/{MISSING}/comments"
    answers = [
        bob_api.get(path),
        bob_api.post(path, {"body": "x"}),
        bob_api.get(one),
        bob_api.patch(one, {"body": "x"}),
        bob_api.delete(one),
    ]
    for answer in answers:
        assert without_request(answer) == without_request(bob_api.get(none))
    assert bodies(ann_api, path) == ["Ripe."]


def test_former_assignee_reads_no_more(ann_api: Api, carl_api: Api, path: str) -> None:
    mine = say(carl_api, path)
    ann_api.patch(path.removesuffix("/comments"), {"assignee_id": None})
    assert carl_api.get(path).status_code == 404
    assert carl_api.patch(f"{path}/{mine['id']}", {"body": "x"}).status_code == 404


def test_task_in_the_trash_has_no_comments(ann_api: Api, path: str) -> None:
    say(ann_api, path)
    ann_api.delete(path.removesuffix("/comments"))
    assert ann_api.get(path).status_code == 404
    ann_api.post(path.replace("/comments", "/restore"))
    assert bodies(ann_api, path) == ["Ripe."]


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/body"]),
        ({"body": ""}, ["/body"]),
        ({"body": "x" * 10_001}, ["/body"]),
        ({"body": None}, ["/body"]),
        ({"body": 1}, ["/body"]),
        ({"body": ["x"]}, ["/body"]),
        ({"body": "a\0b"}, ["/body"]),
        ({"body": "\ud800"}, ["/body"]),
        ({"body": "x", "author_id": MISSING}, ["/author_id"]),
        ({"body": "x", "id": MISSING}, ["/id"]),
        ([], [""]),
    ],
)
def test_comment_that_does_not_do_is_refused(
    ann_api: Api, path: str, body: Any, pointers: list[str]
) -> None:
    answer = ann_api.post(path, body)
    assert slug_of(answer) == (422, "invalid")
    assert blamed(answer) == pointers
    assert bodies(ann_api, path) == []


def test_longest_comment_has_ten_thousand_characters(ann_api: Api, path: str) -> None:
    assert say(ann_api, path, "\U0001f351" * 10_000)["body"] == "\U0001f351" * 10_000


def test_author_changes_a_comment(ann_api: Api, carl_api: Api, path: str) -> None:
    comment = say(carl_api, path)
    answer = carl_api.patch(f"{path}/{comment['id']}", {"body": "Eaten."}, headers=MERGE_PATCH)
    changed = answer.get_json()
    assert answer.status_code == 200
    assert changed == {**comment, "body": "Eaten.", "updated_at": changed["updated_at"]}
    assert changed["updated_at"] > comment["updated_at"]
    assert ann_api.get(f"{path}/{comment['id']}").get_json() == changed


def test_admin_changes_a_comment_and_it_stays_its_authors(
    carl: Actor, carl_api: Api, root_api: Api, path: str
) -> None:
    comment = say(carl_api, path)
    changed = root_api.patch(f"{path}/{comment['id']}", {"body": "Moderated."}).get_json()
    assert (changed["body"], changed["author_id"]) == ("Moderated.", carl.id)


def test_nobody_else_changes_a_comment(ann_api: Api, carl_api: Api, path: str) -> None:
    of_carl, of_ann = say(carl_api, path), say(ann_api, path)
    for api, comment in ((ann_api, of_carl), (carl_api, of_ann)):
        answer = api.patch(f"{path}/{comment['id']}", {"body": "x"})
        assert slug_of(answer) == (403, "forbidden")
    assert bodies(ann_api, path) == ["Ripe.", "Ripe."]


def test_author_owner_and_admin_remove_a_comment(
    ann_api: Api, carl_api: Api, root_api: Api, path: str
) -> None:
    for api in (ann_api, carl_api, root_api):
        comment = say(carl_api, path)
        assert api.delete(f"{path}/{comment['id']}").status_code == 204
        assert api.delete(f"{path}/{comment['id']}").status_code == 404
    assert bodies(ann_api, path) == []


def test_assignee_removes_nobody_elses_comment(ann_api: Api, carl_api: Api, path: str) -> None:
    comment = say(ann_api, path)
    assert slug_of(carl_api.delete(f"{path}/{comment['id']}")) == (403, "forbidden")
    assert bodies(ann_api, path) == ["Ripe."]


def test_empty_change_changes_nothing(ann_api: Api, path: str) -> None:
    comment = say(ann_api, path)
    for change in ({}, {"body": "Ripe."}):
        assert ann_api.patch(f"{path}/{comment['id']}", change).get_json() == comment


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_stale_comment_is_not_changed(ann_api: Api, path: str, method: str) -> None:
    one = f"{path}/{say(ann_api, path)['id']}"
    stale = {"If-Match": ann_api.get(one).headers["ETag"]}
    current = {"If-Match": ann_api.patch(one, {"body": "Eaten."}).headers["ETag"]}
    answer = ann_api.call(method, one, json={"body": "Late."}, headers=stale)
    assert slug_of(answer) == (412, "precondition-failed")
    assert bodies(ann_api, path) == ["Eaten."]
    answer = ann_api.call(method, one, json={"body": "Late."}, headers=current)
    assert answer.status_code in (200, 204)


def test_unchanged_comment_is_not_sent_again(ann_api: Api, path: str) -> None:
    one = f"{path}/{say(ann_api, path)['id']}"
    etag = ann_api.get(one).headers["ETag"]
    assert ann_api.get(one, headers={"If-None-Match": etag}).status_code == 304


def test_of_twenty_writers_with_one_etag_one_gets_through(
    app: Flask, ann_api: Api, path: str
) -> None:
    one = f"{path}/{say(ann_api, path)['id']}"
    held = {"If-Match": ann_api.get(one).headers["ETag"]}
    callers = [Api(app, ann_api.token) for _ in range(20)]
    answers = at_once(
        [
            lambda api=api, n=n: api.patch(one, {"body": f"{n}"}, headers=held)  # type: ignore[misc]
            for n, api in enumerate(callers)
        ]
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 19


def test_comment_belongs_to_its_task_alone(ann_api: Api, path: str) -> None:
    comment, other = say(ann_api, path), f"/tasks/{make(ann_api)['id']}/comments"
    for method in ("GET", "PATCH", "DELETE"):
        answer = ann_api.call(method, f"{other}/{comment['id']}", json={"body": "x"})
        assert slug_of(answer) == (404, "not-found")
    assert bodies(ann_api, path) == ["Ripe."]


def test_list_is_paged_and_counted_the_oldest_first(app: Flask, ann_api: Api, path: str) -> None:
    said = sorted(say(ann_api, path, letter)["id"] for letter in "abcde")
    with app.app_context():  # equal keys: the id decides
        first = rows(Comment)[0]
        for row in rows(Comment):
            set_values(Comment, row.id, created_at=first.created_at)
    seen, query = [], "limit=2&count=true"
    while query:
        page = ann_api.get(f"{path}?{query}").get_json()
        assert page["total"] == 5
        seen += [comment["id"] for comment in page["items"]]
        query = page["next_cursor"] and f"limit=2&count=true&cursor={page['next_cursor']}"
    assert seen == said


def test_cursor_of_one_task_is_foreign_to_another(ann_api: Api, path: str) -> None:
    other = f"/tasks/{make(ann_api)['id']}/comments"
    for _ in range(2):
        say(ann_api, path)
    cursor = ann_api.get(f"{path}?limit=1").get_json()["next_cursor"]
    assert ann_api.get(f"{other}?limit=1&cursor={cursor}").status_code == 422


def test_comment_outlives_its_author(
    app: Flask, carl: Actor, ann_api: Api, carl_api: Api, path: str
) -> None:
    comment = say(carl_api, path)
    with app.app_context():
        accounts.delete(carl, carl.id)
    found = ann_api.get(f"{path}/{comment['id']}").get_json()
    assert found == {**comment, "author_id": None}


def test_comments_are_in_the_audit_trail(app: Flask, carl: Actor, carl_api: Api, path: str) -> None:
    comment = say(carl_api, path)
    carl_api.patch(f"{path}/{comment['id']}", {"body": "Eaten."})
    carl_api.delete(f"{path}/{comment['id']}")
    with app.app_context():
        trail = [event for event in events() if event.action.startswith("comment.")]
    assert [event.action.partition(".")[2] for event in trail] == ["created", "updated", "deleted"]
    assert [event.changes for event in trail] == [{"comment_id": [comment["id"]] * 2}] * 3
    assert {event.actor_id for event in trail} == {carl.id}
