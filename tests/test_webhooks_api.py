"""Webhooks by the API: what is kept of them, whom they are told to, and what is sent."""

import base64
import hmac
import json
import re
import time
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from flask import Flask

import config
from app import delivery
from app.api.tasks import TaskOut
from app.models import OutboxEntry, User, Webhook
from app.models.task import SHOWN
from app.models.types import now
from app.models.webhook import EVENTS, GIVEN_UP_AFTER, PER_USER_MAX
from app.services import webhooks
from app.services.actor import Actor
from app.worker import Worker
from tests.answers import MISSING, blamed, slug_of, without_request
from tests.clients import Api
from tests.conftest import MakeApp, MakePerson, signed_in_api
from tests.rows import actions, events, rows, set_values

URL = "https://1.1.1.1/tasks"
DOCUMENT = config.ROOT / "docs" / "api.md"
OLD = now() - timedelta(minutes=6)


class Receiver(ThreadingHTTPServer):
    """Takes what is posted to it, and answers with `status`."""

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
        """A header that never ends, a byte at a time."""
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
    """The app, with webhooks to this machine allowed."""
    return other_app(WEBHOOK_ALLOW_PRIVATE="1")


def make(api: Api, *names: str, **values: Any) -> dict[str, Any]:
    answer = api.post("/webhooks", {"url": URL, "events": list(names or EVENTS), **values})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.get_json()
    return made


def work(app: Flask) -> int:
    return Worker(app, {"webhook": delivery.send}, 4).run_once()


def told(app: Flask) -> list[str]:
    with app.app_context():
        return [row.name for row in sorted(rows(OutboxEntry), key=lambda row: row.created_at)]


def test_new_webhook_shows_its_secret_once(app: Flask, ann_api: Api) -> None:
    made = make(ann_api)
    assert made.keys() == {"id", "url", "events", "is_active", "created_at", "secret"}
    assert len(base64.b64decode(made["secret"].removeprefix("whsec_"))) == 32
    for path in ("/webhooks", f"/webhooks/{made['id']}"):
        assert made["secret"] not in ann_api.get(path).text
        assert "secret" not in ann_api.get(path).text
    with app.app_context():
        assert made["secret"] not in str(rows(Webhook)) + str(events())
        assert "webhook.created" in actions()


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://localhost:8000/",
        "http://[::1]/",
        "http://0.0.0.0/",
        "http://10.1.2.3/",
        "http://172.16.0.1/",
        "http://192.168.1.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[fe80::1]/",
        "http://[fd00:ec2::254]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[64:ff9b:1::7f00:1]/",
        "http://[2002:7f00:1::]/",
        "http://[2001:0:7f00:1::]/",
        "http://[::127.0.0.1]/",
        "http://[::ffff:0:127.0.0.1]/",
        "http://[fec0::1]/",
        "http://[5f00::1]/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://100.64.0.1/",
        "http://224.0.0.1/",
        "ftp://1.1.1.1/",
        "https://ann@1.1.1.1/",
        "https://1.1.1.1/#there",
        "https://1.1.1.1:0/",
        "https:///path",
        "https://ex ample.org/",
        "https://ex\u00e4mple.org/",
        "1.1.1.1",
        "http://[",
    ],
)
def test_url_that_points_within_or_nowhere_is_refused(ann_api: Api, url: str) -> None:
    answer = ann_api.post("/webhooks", {"url": url, "events": ["task.created"]})
    assert (answer.status_code, blamed(answer)) == (422, ["/url"])
    path = f"/webhooks/{make(ann_api)['id']}"
    assert ann_api.patch(path, {"url": url}).status_code == 422
    assert ann_api.get(path).get_json()["url"] == URL


@pytest.mark.parametrize("names", [[], ["task.eaten"], "task.created", None])
def test_events_are_some_of_those_there_are(ann_api: Api, names: Any) -> None:
    answer = ann_api.post("/webhooks", {"url": URL, "events": names})
    assert answer.status_code == 422


def test_number_of_webhooks_has_a_limit(ann_api: Api) -> None:
    for _ in range(PER_USER_MAX):
        make(ann_api)
    answer = ann_api.post("/webhooks", {"url": URL, "events": ["task.created"]})
    assert slug_of(answer) == (409, "conflict")


def test_webhook_is_changed_and_removed(app: Flask, ann_api: Api) -> None:
    path = f"/webhooks/{make(ann_api)['id']}"
    etag = ann_api.get(path).headers["ETag"]
    changed = ann_api.patch(path, {"events": ["task.deleted", "task.created"], "is_active": False})
    assert changed.get_json()["events"] == ["task.created", "task.deleted"]
    assert changed.get_json()["is_active"] is False
    assert ann_api.patch(path, {"url": URL}, headers={"If-Match": etag}).status_code == 412
    assert ann_api.delete(path, headers={"If-Match": etag}).status_code == 412
    assert ann_api.delete(path).status_code == 204
    assert ann_api.get(path).status_code == 404
    with app.app_context():
        assert [name for name in actions() if name.startswith("webhook.")] == [
            "webhook.created",
            "webhook.updated",
            "webhook.deleted",
        ]


def test_webhook_of_another_is_as_one_that_is_not_there(ann_api: Api, bob_api: Api) -> None:
    path = f"/webhooks/{make(ann_api)['id']}"
    for answer in (
        bob_api.get(path),
        bob_api.patch(path, {"is_active": False}),
        bob_api.delete(path),
        bob_api.post(f"{path}/test"),
    ):
        missing = bob_api.get(f"/webhooks/{MISSING}")
        assert without_request(answer)["detail"] == without_request(missing)["detail"]
        assert answer.status_code == 404
    assert ann_api.get(path).get_json()["is_active"] is True


def test_body_of_an_event_is_the_task_as_the_api_shows_it() -> None:
    assert set(SHOWN) == set(TaskOut().fields)


def test_owner_and_assignee_are_told_and_nobody_else(
    app: Flask, ann: Actor, ann_api: Api, bob: Actor, bob_api: Api, root_api: Api
) -> None:
    for api in (ann_api, bob_api, root_api):
        make(api)
    path = ann_api.post("/tasks", {"title": "Prune"}).headers["Location"]

    def whom() -> list[str | None]:
        with app.app_context():
            return [row.user_id for row in rows(OutboxEntry)]

    assert whom() == [ann.id]
    ann_api.patch(path, {"assignee_id": bob.id})
    assert sorted(map(str, whom())) == sorted([ann.id] * 2 + [bob.id])
    ann_api.patch(path, {"assignee_id": None})  # he is told that it is his no more
    assert sorted(map(str, whom())) == sorted([ann.id] * 3 + [bob.id] * 2)
    ann_api.patch(path, {"title": "Prune!"})
    assert sorted(map(str, whom())) == sorted([ann.id] * 4 + [bob.id] * 2)


def test_every_change_is_told_once_and_only_those_asked_for(app: Flask, ann_api: Api) -> None:
    made = make(ann_api)
    task = ann_api.post("/tasks", {"title": "Prune"}).headers["Location"]
    ann_api.patch(task, {"status": "done"})
    ann_api.patch(task, {"status": "done"})  # changes nothing
    comment = ann_api.post(f"{task}/comments", {"body": "Now?"}).headers["Location"]
    ann_api.patch(comment, {"body": "Now!"})
    ann_api.delete(comment)
    ann_api.delete(task)
    ann_api.post(f"{task}/restore")
    changes = [{"op": "create", "data": {"title": "Plant"}}, {"op": "delete", "id": MISSING}]
    assert ann_api.post("/tasks/bulk", {"operations": changes}).status_code == 404
    assert told(app) == [
        "task.created",
        "task.updated",
        "comment.created",
        "comment.updated",
        "comment.deleted",
        "task.deleted",
        "task.restored",
    ]
    ann_api.patch(f"/webhooks/{made['id']}", {"events": ["task.deleted"]})
    ann_api.post("/tasks", {"title": "Plant"})
    ann_api.patch(f"/webhooks/{made['id']}", {"events": list(EVENTS), "is_active": False})
    ann_api.post("/tasks", {"title": "Plant"})
    assert len(told(app)) == 7


def test_imported_tasks_are_told(app: Flask, ann_api: Api) -> None:
    make(ann_api)
    data = "title\nPrune\nPlant\n"
    answer = ann_api.call("POST", "/tasks/import", data=data, content_type="text/csv")
    assert answer.status_code == 201
    assert told(app) == ["task.created"] * 2


def test_account_that_goes_is_told_to_whom_it_worked_with(
    app: Flask, ann_api: Api, bob: Actor, bob_api: Api
) -> None:
    make(bob_api)
    ann_api.post("/tasks", {"title": "Hers", "assignee_id": bob.id})
    assert ann_api.delete("/users/me").status_code == 204
    assert told(app) == ["task.created", "task.deleted"]


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

    monkeypatch.setattr("app.services.targets.socket.getaddrinfo", rebound)
    work(app)
    (entry,) = ann_api.get(f"{hook}/deliveries").get_json()["items"]
    assert "private" in entry["error"]
    assert receiver.taken == []


def test_receiver_that_drips_is_cut_off(
    inside: Flask,
    make_person: MakePerson,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(delivery, "TIMEOUT", 0.5)
    api = signed_in_api(inside, make_person("eve"))
    hook = f"/webhooks/{make(api, url=receiver.url)['id']}"
    api.post(f"{hook}/test")
    receiver.drip = True
    assert work(inside) == 1
    (entry,) = api.get(f"{hook}/deliveries").get_json()["items"]
    assert entry["error"] == "It did not answer in time."


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
    assert work(inside) == 4  # what was claimed already; the others wait too
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
    headers = webhooks.sign(secret, "01", now(), b"{}")
    assert known["is_ours"](secret, headers, b"{}")
    assert not known["is_ours"](secret, headers, b"{ }")
    assert not known["is_ours"](secret, webhooks.sign(secret, "01", OLD, b"{}"), b"{}")
