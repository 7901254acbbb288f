"""Webhooks by the API: their stored fields, and the receivers of each event."""

import base64
import re
from typing import Any

import pytest
from flask import Flask

from app.api.tasks import TaskOut
from app.models import OutboxEntry, Webhook, WebhookSecret
from app.models.registry import EVENTS
from app.models.task import SHOWN
from app.models.webhook import PER_USER_MAX
from app.models.webhook_secret import EARLIER_MAX
from app.services.shared.actor import Actor
from tests.conftest import MakeApp, MakePerson, signed_in_api
from tests.support.answers import MISSING, blamed, slug_of, without_request
from tests.support.clients import Api
from tests.support.rows import actions, events, rows

URL = "https://1.1.1.1/tasks"


def make(api: Api, *names: str, **values: Any) -> dict[str, Any]:
    answer = api.post("/webhooks", {"url": URL, "events": list(names or EVENTS), **values})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.get_json()
    return made


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
        "http://168.63.129.16/",
        "http://192.0.0.9/",
        "http://192.0.0.192/",
        "http://192.88.99.1/",
        "http://[3fff::1]/",
        "http://[2620:4f:8000::1]/",
        "https://1.1.1.1:22/",
        "http://1.1.1.1:81/",
        "https://1.1.1.1:1023/",
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


@pytest.mark.parametrize(
    "target",
    [
        "168.63.129.16",
        "192.0.0.192",
        "192.88.99.1",
        "[3fff::1]",
        "[2620:4f:8000::1]",
        "[::ffff:168.63.129.16]",
        "[64:ff9b::a83f:8110]",
        "[2002:a83f:8110::1]",
        "127.0.0.1:22",
        "127.0.0.1:1023",
    ],
)
def test_reserved_network_or_port_is_refused_where_private_ones_are_allowed(
    app: Flask, other_app: MakeApp, make_person: MakePerson, target: str
) -> None:
    api = signed_in_api(other_app(WEBHOOK_ALLOW_PRIVATE="1"), make_person("eve"))
    answer = api.post("/webhooks", {"url": f"http://{target}/", "events": ["task.created"]})
    assert (answer.status_code, blamed(answer)) == (422, ["/url"])
    assert answer.get_json()["errors"][0]["code"] == "not_allowed"


@pytest.mark.parametrize(
    "origin", ["http://1.1.1.1:443", "https://1.1.1.1:80", "http://1.1.1.1:1024"]
)
def test_web_port_and_unprivileged_port_are_allowed(ann_api: Api, origin: str) -> None:
    assert make(ann_api, url=f"{origin}/")["url"] == f"{origin}/"


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


def test_rotation_shows_the_new_secret_once_and_is_audited(app: Flask, ann_api: Api) -> None:
    made = make(ann_api)
    path = f"/webhooks/{made['id']}"
    answer = ann_api.post(f"{path}/rotate-secret")
    secret = answer.get_json()["secret"]
    assert (answer.status_code, list(answer.get_json())) == (200, ["secret"])
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", secret)
    assert secret != made["secret"]
    assert "secret" not in ann_api.get(path).text
    with app.app_context():
        assert secret not in str(rows(Webhook)) + str(rows(WebhookSecret)) + str(events())
        assert actions()[-1] == "webhook.secret_rotated"


def test_secret_is_replaced_as_often_as_signatures_are_allowed(ann_api: Api) -> None:
    path = f"/webhooks/{make(ann_api)['id']}/rotate-secret"
    statuses = [ann_api.post(path).status_code for _ in range(EARLIER_MAX + 1)]
    assert statuses == [200] * EARLIER_MAX + [409]


def test_webhook_of_another_is_as_one_that_is_not_there(ann_api: Api, bob_api: Api) -> None:
    path = f"/webhooks/{make(ann_api)['id']}"
    for answer in (
        bob_api.get(path),
        bob_api.patch(path, {"is_active": False}),
        bob_api.patch(path, {"url": "http://127.0.0.1/"}),
        bob_api.delete(path),
        bob_api.post(f"{path}/test"),
        bob_api.post(f"{path}/rotate-secret"),
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
    ann_api.patch(path, {"assignee_id": None})  # Bob's webhook gets the event of his removal
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
