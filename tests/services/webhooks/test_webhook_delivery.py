"""Webhook deliveries: signed, to no private address, retried, and finally failed."""

import base64
import hmac
import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from flask import Flask

import config
from app.models import OutboxEntry, User, Webhook, WebhookSecret
from app.models.types import now
from app.models.webhook import GIVEN_UP_AFTER
from app.models.webhook_secret import EARLIER_LIFE
from app.services.operations.purge import purge
from app.services.shared import encryption
from app.services.shared.actor import Actor
from app.services.webhooks import deliveries as webhook_deliveries, webhooks
from app.worker import webhook_sender
from app.worker.loop import Worker
from tests.api.test_webhooks_api import make, told
from tests.conftest import MakeApp, MakePerson, signed_in_api
from tests.support.clients import Api
from tests.support.rows import actions, age, rows, set_values

DOCUMENT = config.ROOT / "docs" / "api.md"
OLD = now() - timedelta(minutes=6)


class Receiver(ThreadingHTTPServer):
    """A receiver of webhooks that answers with `status`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/hook?of=ann"
        self.taken: list[tuple[str, Any, bytes]] = []
        self.status = 204
        self.drip = False


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append((self.path, self.headers, body))
        if self.server.drip:
            self.drip()
            return
        self.send_response(self.server.status)
        self.send_header("Location", self.server.url)
        self.end_headers()

    def drip(self) -> None:
        """Send an endless header byte by byte."""
        try:
            while True:
                self.wfile.write(b"H")
                time.sleep(0.05)
        except OSError:
            pass

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def inside(app: Flask, other_app: MakeApp) -> Flask:
    """The app with webhooks to this machine allowed."""
    return other_app(WEBHOOK_ALLOW_PRIVATE="1")


def work(app: Flask) -> int:
    return Worker(app, {"webhook": webhook_sender.send}, 4).run_once()


def test_delivery_is_signed_as_standard_webhooks_says(
    inside: Flask, make_person: MakePerson, receiver: Receiver
) -> None:
    api = signed_in_api(inside, make_person("eve"))
    secret = make(api, url=receiver.url)["secret"]
    task = api.post("/tasks", {"title": "Prune \u00df", "labels": ["a"]}).get_json()
    assert work(inside) == 1
    ((path, headers, body),) = receiver.taken
    assert path == "/hook?of=ann"
    assert headers["Content-Type"] == "application/json"
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    tag = base64.b64encode(hmac.digest(key, signed, sha256)).decode()
    assert headers["webhook-signature"] == f"v1,{tag}"
    sent = json.loads(body)
    assert sent["type"] == "task.created"
    assert sent["data"] == task


def test_replaced_secret_signs_beside_the_new_one_for_a_day(
    inside: Flask, make_person: MakePerson, receiver: Receiver
) -> None:
    api = signed_in_api(inside, make_person("eve"))
    made = make(api, url=receiver.url)
    path = f"/webhooks/{made['id']}"
    rotated = [api.post(f"{path}/rotate-secret").get_json()["secret"] for _ in range(2)]
    assert signers(inside, api, path, receiver) == [*reversed(rotated), made["secret"]]
    with inside.app_context():
        age(WebhookSecret, "expires_at", EARLIER_LIFE)
    assert signers(inside, api, path, receiver) == [rotated[-1]]
    with inside.app_context():
        assert purge()["earlier secrets of webhooks"] == 2


def signers(app: Flask, api: Api, path: str, receiver: Receiver) -> list[str]:
    """Return the secrets that signed the webhook's next delivery, in the order of signatures."""
    api.post(f"{path}/test")
    assert work(app) == 1
    _, headers, body = receiver.taken[-1]
    moment = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
    with app.app_context():
        known = [
            encryption.unseal(row.secret)
            for row in (*rows(Webhook, id=path.rsplit("/", 1)[1]), *rows(WebhookSecret))
        ]
    by_signature = {
        webhook_deliveries.sign([secret], headers["webhook-id"], moment, body)[
            "webhook-signature"
        ]: secret
        for secret in known
    }
    return [by_signature[signature] for signature in headers["webhook-signature"].split(" ")]


def test_failure_is_shown_tried_again_and_redelivered(
    inside: Flask, make_person: MakePerson, receiver: Receiver
) -> None:
    api = signed_in_api(inside, make_person("eve"))
    hook = f"/webhooks/{make(api, url=receiver.url)['id']}"
    receiver.status = 500
    entry = api.post(f"{hook}/test").get_json()
    assert (entry["event"], entry["status"], entry["attempts"]) == ("webhook.test", "pending", 0)
    assert work(inside) == 1
    (shown,) = api.get(f"{hook}/deliveries").get_json()["items"]
    assert (shown["status"], shown["attempts"], shown["response_status"]) == ("pending", 1, 500)
    assert shown["next_attempt_at"] > shown["created_at"]
    again = f"{hook}/deliveries/{entry['id']}/redeliver"
    assert api.post(again).status_code == 409
    with inside.app_context():
        set_values(OutboxEntry, entry["id"], run_at=now())
    receiver.status = 200
    assert work(inside) == 1
    (shown,) = api.get(f"{hook}/deliveries").get_json()["items"]
    assert (shown["status"], shown["attempts"], shown["error"]) == ("delivered", 2, "")
    assert api.post(again).status_code == 202
    assert work(inside) == 1
    assert {headers["webhook-id"] for _, headers, _ in receiver.taken} == {entry["id"]}
    assert len(receiver.taken) == 3


@pytest.mark.parametrize("status", [301, 307, 400, 503])
def test_redirect_is_not_followed_and_anything_but_success_a_failure(
    inside: Flask, make_person: MakePerson, receiver: Receiver, status: int
) -> None:
    api = signed_in_api(inside, make_person("eve"))
    hook = f"/webhooks/{make(api, url=receiver.url)['id']}"
    receiver.status = status
    api.post(f"{hook}/test")
    work(inside)
    assert len(receiver.taken) == 1
    assert api.get(f"{hook}/deliveries").get_json()["items"][0]["status"] == "pending"


def test_address_is_looked_at_again_when_it_is_sent(
    app: Flask, ann_api: Api, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = f"/webhooks/{make(ann_api, url='https://rebound.example/')['id']}"
    ann_api.post(f"{hook}/test")

    def rebound(*_: object, **__: object) -> list[Any]:
        return [(2, 1, 6, "", ("1.1.1.1", 443)), (2, 1, 6, "", ("127.0.0.1", 443))]

    monkeypatch.setattr("app.services.webhooks.target_urls.socket.getaddrinfo", rebound)
    work(app)
    (entry,) = ann_api.get(f"{hook}/deliveries").get_json()["items"]
    assert "private" in entry["error"]
    assert receiver.taken == []


@pytest.mark.parametrize(
    ("url", "why"),
    [("http://1.1.1.1:22/", "port"), ("http://168.63.129.16/", "reserved")],
)
def test_target_saved_by_an_earlier_release_is_refused_when_it_is_sent(
    app: Flask, ann_api: Api, url: str, why: str
) -> None:
    webhook_id = make(ann_api)["id"]
    with app.app_context():
        set_values(Webhook, webhook_id, url=url)
    ann_api.post(f"/webhooks/{webhook_id}/test")
    work(app)
    (entry,) = ann_api.get(f"/webhooks/{webhook_id}/deliveries").get_json()["items"]
    assert why in entry["error"]


def test_receiver_that_drips_is_cut_off(
    inside: Flask,
    make_person: MakePerson,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(webhook_sender, "TIMEOUT", 0.5)
    api = signed_in_api(inside, make_person("eve"))
    hook = f"/webhooks/{make(api, url=receiver.url)['id']}"
    api.post(f"{hook}/test")
    receiver.drip = True
    assert work(inside) == 1
    (entry,) = api.get(f"{hook}/deliveries").get_json()["items"]
    assert entry["error"] == "The receiver did not answer in time."


def test_webhook_that_is_gone_or_fails_for_days_is_switched_off(
    inside: Flask, make_person: MakePerson, receiver: Receiver
) -> None:
    api = signed_in_api(inside, make_person("eve"))
    gone, failing = (make(api, url=receiver.url)["id"] for _ in range(2))
    receiver.status = 410
    api.post(f"/webhooks/{gone}/test")
    work(inside)
    receiver.status = 500
    api.post(f"/webhooks/{failing}/test")
    with inside.app_context():
        set_values(Webhook, failing, failing_since=now() - GIVEN_UP_AFTER)
    work(inside)
    for webhook in (gone, failing):
        assert api.get(f"/webhooks/{webhook}").get_json()["is_active"] is False
        assert api.post(f"/webhooks/{webhook}/test").status_code == 409
    with inside.app_context():
        assert actions().count("webhook.switched_off") == 2
    api.patch(f"/webhooks/{failing}", {"is_active": True})
    with inside.app_context():
        assert rows(Webhook, id=failing)[0].failing_since is None


def test_receiver_that_fails_holds_up_no_other(
    inside: Flask, make_person: MakePerson, receiver: Receiver
) -> None:
    api = signed_in_api(inside, make_person("eve"))
    failing = f"/webhooks/{make(api, url=receiver.url)['id']}"
    for _ in range(12):
        api.post(f"{failing}/test")
    receiver.status = 500
    assert work(inside) == 4  # the claimed ones; the others wait
    receiver.status = 200
    other = f"/webhooks/{make(api, url=receiver.url)['id']}"
    api.post(f"{other}/test")
    assert work(inside) == 1
    waiting = api.get(f"{failing}/deliveries").get_json()["items"]
    assert [entry["status"] for entry in waiting] == ["pending"] * 12
    assert min(entry["next_attempt_at"] for entry in waiting) > waiting[0]["created_at"]


def test_success_ends_a_row_of_failures(
    inside: Flask, make_person: MakePerson, receiver: Receiver
) -> None:
    api = signed_in_api(inside, make_person("eve"))
    hook = make(api, url=receiver.url)["id"]
    for status, failing in ((500, True), (200, False)):
        receiver.status = status
        api.post(f"/webhooks/{hook}/test")
        work(inside)
        with inside.app_context():
            assert (rows(Webhook)[0].failing_since is not None) is failing


def test_deactivated_account_is_told_nothing(
    app: Flask, ann: Actor, ann_api: Api, bob: Actor, bob_api: Api
) -> None:
    make(bob_api)
    ann_api.post("/tasks", {"title": "Prune", "assignee_id": bob.id})
    with app.app_context():
        set_values(User, bob.id, is_active=False)
    work(app)
    with app.app_context():
        assert [(row.status, row.attempts) for row in rows(OutboxEntry)] == [("dead", 1)]
    task = ann_api.get("/tasks").get_json()["items"][0]["id"]
    ann_api.patch(f"/tasks/{task}", {"title": "Prune!"})
    assert len(told(app)) == 1


def test_check_in_the_documents_takes_what_is_sent_and_nothing_else() -> None:
    code = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    known: dict[str, Any] = {"base64": base64, "hmac": hmac, "time": time}
    exec(code[0], known)  # noqa: S102 - our own document
    secret = webhooks.SECRET_PREFIX + base64.b64encode(b"of a test").decode()
    for secrets in ([secret], [webhooks.new_secret(), secret]):
        headers = webhook_deliveries.sign(secrets, "01", now(), b"{}")
        assert known["is_ours"](secret, headers, b"{}")
        assert not known["is_ours"](secret, headers, b"{ }")
        assert not known["is_ours"](webhooks.new_secret(), headers, b"{}")
    assert not known["is_ours"](secret, webhook_deliveries.sign([secret], "01", OLD, b"{}"), b"{}")
