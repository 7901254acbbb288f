"""The text of a comment is stored once: audit events and payloads only name the comment."""

import json
from typing import Any

import pytest
from flask import Flask

from app.models import AuditEvent, OutboxEntry, Task
from app.services.shared.actor import Actor
from tests.api.test_tasks_api import make
from tests.api.test_webhooks_api import make as make_webhook
from tests.conftest import MakeApp, MakePerson, signed_in_api
from tests.services.webhooks.test_webhook_delivery import Receiver, receiver, work
from tests.support.clients import Api
from tests.support.rows import rows, set_values

__all__ = ["receiver"]
WORDS = ("first-words", "second-words")
KEY = {"Idempotency-Key": "of-the-comment"}


@pytest.fixture
def inside(other_app: MakeApp) -> Flask:
    """The app with webhooks to this machine allowed."""
    return other_app(WEBHOOK_ALLOW_PRIVATE="1")


@pytest.fixture
def eve(make_person: MakePerson) -> Actor:
    return make_person("eve")


@pytest.fixture
def eve_api(inside: Flask, eve: Actor) -> Api:
    return signed_in_api(inside, eve)


def comment(api: Api, task: dict[str, Any]) -> str:
    """Create and change a comment, and return its path."""
    made = api.post(f"/tasks/{task['id']}/comments", {"body": WORDS[0]}, headers=KEY)
    path = made.headers["Location"]
    assert api.patch(path, {"body": WORDS[1]}).status_code == 200
    return path


def sent(receiver: Receiver) -> dict[str, Any]:
    """Return the body of the comment in each received event."""
    bodies = [json.loads(body) for _, _, body in receiver.taken]
    return {body["type"]: body["data"]["body"] for body in bodies if "body" in body["data"]}


def test_events_tell_who_made_a_comment_and_not_what_it_said(
    ann_api: Api, ann: Actor, root_api: Api
) -> None:
    task = make(ann_api)
    path = comment(ann_api, task)
    ann_api.delete(path)
    for events in (f"/tasks/{task['id']}/events", f"/audit?target_id={task['id']}"):
        api = root_api if "audit" in events else ann_api
        found = api.get(events).get_json()["items"]
        assert [event["action"] for event in found] == [
            "comment.deleted",
            "comment.updated",
            "comment.created",
            "task.created",
        ]
        assert {event["actor_id"] for event in found} == {ann.id}
        assert [event["changes"] for event in found[:3]] == [
            {"comment_id": [path.split("/")[-1]] * 2}
        ] * 3


@pytest.mark.parametrize("end", ["delete", "work then delete"])
def test_deleted_comment_is_readable_nowhere(
    inside: Flask, eve_api: Api, root_api: Api, receiver: Receiver, end: str
) -> None:
    hook = make_webhook(eve_api, url=receiver.url)["id"]
    task = make(eve_api)
    path = comment(eve_api, task)
    if end != "delete":
        work(inside)
    eve_api.delete(path)
    copies = [
        eve_api.get("/users/me/export").text,
        eve_api.get(f"/webhooks/{hook}/deliveries").text,
        eve_api.get(f"/tasks/{task['id']}/events").text,
        root_api.get("/audit").text,
    ]
    with inside.app_context():
        copies += [str(row) for model in (AuditEvent, OutboxEntry) for row in rows(model)]
    assert [copy for copy in copies for words in WORDS if words in copy] == []


def test_webhook_is_sent_the_words_that_are_there_then(
    inside: Flask, eve_api: Api, receiver: Receiver
) -> None:
    make_webhook(eve_api, url=receiver.url)
    path = comment(eve_api, make(eve_api))
    work(inside)
    assert sent(receiver) == dict.fromkeys(["comment.created", "comment.updated"], WORDS[1])
    eve_api.delete(path)
    work(inside)
    assert sent(receiver)["comment.deleted"] is None


def test_webhook_is_sent_no_words_of_a_comment_that_is_gone(
    inside: Flask, eve_api: Api, receiver: Receiver
) -> None:
    make_webhook(eve_api, url=receiver.url)
    eve_api.delete(comment(eve_api, make(eve_api)))
    work(inside)
    assert set(sent(receiver).values()) == {None}


def test_webhook_of_an_assignee_who_lost_the_task_is_sent_no_words(
    inside: Flask, ann_api: Api, eve: Actor, eve_api: Api, receiver: Receiver
) -> None:
    make_webhook(eve_api, "comment.created", url=receiver.url)
    task = make(ann_api, assignee_id=eve.id)
    comment(ann_api, task)
    with inside.app_context():
        set_values(Task, task["id"], assignee_id=None)
    work(inside)
    assert sent(receiver) == {"comment.created": None}
