"""The worker's log: one line for each attempt, with the reason and the request behind it."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask

from app.errors import SendingFailed
from app.logs import JsonFormatter
from app.models import OutboxEntry, User
from app.services.accounts import accounts, email_confirmation, invitations, password_reset
from app.services.outbox import outbox
from app.services.shared.actor import Actor
from app.services.users import users
from app.services.webhooks import deliveries as webhook_deliveries, failures, webhooks
from app.worker.loop import Worker
from tests.api.test_webhooks_api import make
from tests.conftest import email_of, signed_in_api
from tests.services.webhooks.test_webhook_delivery import Receiver, inside, receiver, work
from tests.support.factors import add_app, hold_clock
from tests.support.mailbox import Mailbox
from tests.support.rows import rows, set_values

__all__ = ["inside", "receiver"]
REQUEST = "of-the-test"  # the request id of the actors that make_person makes


@contextmanager
def worker_lines() -> Iterator[list[dict[str, Any]]]:
    """The log lines of the worker during the test."""
    lines: list[dict[str, Any]] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(json.loads(JsonFormatter().format(record)))  # type: ignore[method-assign]
    logger = logging.getLogger("service.worker")
    logger.addHandler(handler)
    yield lines
    logger.removeHandler(handler)


def send(app: Flask, error: Exception | None, request_id: str = "r-1") -> dict[str, Any]:
    """Return the log line of an attempt that ends with `error`."""

    def sender(_entry: OutboxEntry) -> int | None:
        if error:
            raise error
        return 250

    with app.app_context():
        outbox.add("mail", "greeting", {}, request_id=request_id)
    with worker_lines() as lines:
        Worker(app, {"mail": sender}, 1).run_once()
    return lines[-1]


def test_failure_names_its_reason_and_the_request(app: Flask) -> None:
    line = send(app, SendingFailed("The receiver answered with 503.", 503))
    assert (line["level"], line["outcome"]) == ("warning", "failed")
    assert (line["reason"], line["request_id"]) == ("The receiver answered with 503.", "r-1")
    assert (line["kind"], line["name"], line["attempt"]) == ("mail", "greeting", 1)
    assert line["again_at"].endswith("+00:00")


def test_what_is_given_up_is_told_apart(app: Flask) -> None:
    line = send(app, SendingFailed("Nobody of that name.", 550, final=True))
    assert (line["outcome"], line["again_at"]) == ("given up", "")


def test_success_names_the_request(app: Flask) -> None:
    line = send(app, None)
    assert (line["level"], line["outcome"], line["reason"]) == ("info", "sent", "")
    assert line["request_id"] == "r-1"


def test_bug_of_a_sender_names_the_request_beside_its_traceback(app: Flask) -> None:
    with worker_lines() as lines:
        send(app, ZeroDivisionError())
    assert "r-1" in lines[0]["message"]
    assert "ZeroDivisionError" in lines[0]["exception"]
    assert lines[1]["request_id"] == "r-1"


@pytest.mark.parametrize("words", ["one\ntwo\r\nthree", "a\x1b[31mred", "\x00" * 9, "word " * 2000])
def test_reason_is_one_printable_line(app: Flask, words: str) -> None:
    """The reason holds another server's answer, and the log may be plain text."""
    reason = send(app, SendingFailed(words))["reason"]
    assert reason.isprintable()
    assert len(reason) <= 500
    with app.app_context():
        assert rows(OutboxEntry)[0].error == reason


def test_webhook_carries_the_id_of_the_request(
    inside: Flask, ann: Actor, receiver: Receiver
) -> None:
    api = signed_in_api(inside, ann)
    make(api, url=receiver.url, events=["task.created", "task.updated", "comment.created"])
    task = api.post("/tasks", {"title": "x"}, headers={"X-Request-ID": "r-made"}).get_json()
    path = f"/tasks/{task['id']}"
    api.patch(path, json={"title": "y"}, headers={"X-Request-ID": "r-changed"})
    api.post(f"{path}/comments", {"body": "z"}, headers={"X-Request-ID": "r-said"})
    with worker_lines() as lines:
        assert work(inside) == 3
    sent = {headers["X-Request-ID"] for _, headers, _ in receiver.taken}
    assert sent == {"r-made", "r-changed", "r-said"}
    assert {line["request_id"] for line in lines} == sent


@pytest.mark.usefixtures("ctx")
def test_every_entry_of_the_outbox_names_its_request(
    ann: Actor, root: Actor, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mails of every kind, and webhook events of every trigger."""
    hold_clock(monkeypatch)
    email_confirmation.ask(ann)
    set_values(User, ann.id, email_verified=True)
    origin = Actor(request_id=REQUEST)
    webhook, _ = webhooks.create(ann, "https://hooks.example.com/", ["task.created"])
    webhook_deliveries.test(ann, webhook.id)
    failures.switch_off(root, webhook.id)
    password_reset.ask(origin, email_of("ann"))
    password_reset.mail_link(root, users.get(root, ann.id))
    invited = invitations.invite(root, "kim@example.com", "kim")
    invitations.invite_again(root, invited.id)
    add_app(ann)
    accounts.update(root, ann.id, {"email": "anna@example.com"})
    names = {entry.name for entry in rows(OutboxEntry)}
    assert {"webhook.test", "webhook_switched_off", "reset", "confirm", "invite"} <= names
    assert {entry.request_id for entry in rows(OutboxEntry)} == {REQUEST}
