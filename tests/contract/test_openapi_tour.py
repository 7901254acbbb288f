"""A tour of all operations: each answer matches the OpenAPI document, on either database."""

import json
from collections.abc import Callable
from typing import Any

import pyotp
import pytest
from flask import Flask

from app.models import OutboxEntry
from app.services.shared.actor import Actor
from tests.conftest import PASSWORD
from tests.support.authorization import WEBHOOK
from tests.support.clients import Api
from tests.support.conformance import Checked, Conformance
from tests.support.mailbox import LINK, Mailbox, text
from tests.support.routes import DOCUMENT
from tests.support.rows import prove_address, set_values

CAT = {"username": "cat", "email": "cat@example.com", "password": PASSWORD}
ODD = {
    "title": "\U0001f350 \u2067\"'<b>",
    "description": "\n\t\\",
    "labels": ["\u00df", "a b", "\U0001f350"],
    "due_at": "9999-12-31T23:59:59.999999Z",
    "priority": "urgent",
    "status": "done",
}
KEY = {"Idempotency-Key": "of-the-tour"}
IMPORTED = "title,labels\nPrune,garden;summer\n"


class Guide:
    """The clients of the tour (a stranger, Ann, Bob, root) and the operations that they called."""

    def __init__(self, app: Flask, mailbox: Mailbox, ann: Api, bob: Api, root: Api) -> None:
        self.app, self.mailbox = app, mailbox
        self.conformance = Conformance(json.loads(json.dumps(DOCUMENT)))
        self.stranger, self.ann, self.bob, self.root = (
            Checked(self.conformance, api) for api in (Api(app), ann, bob, root)
        )

    def person(self, token: str) -> Checked:
        return Checked(self.conformance, Api(self.app, token))


@pytest.fixture
def guide(
    app: Flask, mailbox: Mailbox, ann: Actor, bob: Actor, ann_api: Api, bob_api: Api, root_api: Api
) -> Guide:
    for actor in (ann, bob):
        prove_address(app, actor)
    return Guide(app, mailbox, ann_api, bob_api, root_api)


def read(api: Api, path: str) -> Any:
    """Read the record by GET, by If-None-Match and by HEAD."""
    answer = api.get(path)
    assert answer.status_code == 200, answer.text
    if etag := answer.headers.get("ETag"):
        assert api.get(path, headers={"If-None-Match": etag}).status_code == 304
    assert api.call("HEAD", path).status_code == 200
    return answer.get_json()


def read_list(api: Api, path: str) -> None:
    """Read all pages of the list, with a count."""
    following = f"{path}?limit=1&count=true"
    while following:
        page = api.get(following).get_json()
        cursor = page["next_cursor"]
        following = f"{path}?limit=1&count=true&cursor={cursor}" if cursor else ""


def tour_of_signing_in(guide: Guide) -> None:
    stranger = guide.stranger
    stranger.post("/users", CAT)
    stranger.post("/users", CAT)
    stranger.post("/auth/login", {"identifier": "cat", "password": "wrong"})
    pair = stranger.post("/auth/login", {"identifier": "cat", "password": PASSWORD}).get_json()
    spent = {"refresh_token": pair["refresh_token"]}
    newer = stranger.post("/auth/refresh", spent).get_json()
    stranger.post("/auth/refresh", spent)
    guide.person(newer["access_token"]).post("/auth/logout")
    read(stranger, "/openapi.json")


def tour_of_ones_account(guide: Guide) -> None:
    ann = guide.ann
    mine = read(ann, "/users/me")
    read(ann, f"/users/{mine['id']}")
    read(ann, "/users/me/export")
    ann.patch("/users/me", {"username": "BOB"})
    ann.patch("/users/me", {"username": "anna"}, headers={"If-Match": '"9"'})
    ann.patch("/users/me", {"email": "anna@example.com", "current_password": PASSWORD})
    made = ann.post("/tokens", {"name": "of the tour", "scopes": ["profile:read"]})
    limited = guide.person(made.get_json()["token"])
    limited.delete("/users/me")
    read(ann, made.headers["Location"])
    read_list(ann, "/tokens")
    ann.post("/tokens", {"name": "of the tour", "scopes": ["admin"]})
    ann.delete(made.headers["Location"])
    ann.delete("/users/me")


def tour_of_second_factors(guide: Guide) -> None:
    bob = guide.bob
    proof = {"current_password": PASSWORD}
    bob.post("/users/me/recovery-codes", proof)
    bob.post("/users/me/factors/totp/confirm", {"otp": "000000"})
    phone = pyotp.TOTP(bob.post("/users/me/factors/totp", proof).get_json()["secret"])
    bob.post("/users/me/factors/totp/confirm", {"otp": "x"})
    codes = bob.post("/users/me/factors/totp/confirm", {"otp": phone.now()}).get_json()
    bob.post("/users/me/factors/totp", proof)
    read_list(bob, "/users/me/factors")
    read(bob, "/users/me/recovery-codes")
    who = {"identifier": "bob", "password": PASSWORD}
    guide.stranger.post("/auth/login", who)
    guide.stranger.post("/auth/login", {**who, "otp": "x"})
    again = guide.stranger.post("/auth/login", {**who, "otp": codes["recovery_codes"][0]})
    bob.post("/users/me/recovery-codes", proof)
    factor = bob.get("/users/me/factors").get_json()["items"][0]["id"]
    bob.post(f"/users/me/factors/{factor}/remove", {"current_password": "wrong"})
    bob.post(f"/users/me/factors/{factor}/remove", proof)
    bob.post(f"/users/me/factors/{factor}/remove", proof)
    guide.root.delete(f"/users/{bob.get('/users/me').get_json()['id']}/factors")
    assert again.status_code == 200


def tour_of_the_admin(guide: Guide) -> None:
    root = guide.root
    bob = read(guide.bob, "/users/by-username/bob")
    read(root, f"/users/names?id={bob['id']}")
    read_list(root, "/users")
    read(root, f"/users/{bob['id']}")
    guide.bob.patch(f"/users/{bob['id']}", {"role": "admin"})
    root.delete("/users/me")  # the last admin stays
    root.patch(f"/users/{bob['id']}", {"username": "root"})
    root.patch(f"/users/{bob['id']}", {"role": "admin"}, headers={"If-Match": '"1"'})
    root.patch(f"/users/{bob['id']}", {"is_active": False}, headers={"If-Match": '"1"'})
    root.delete(f"/users/{bob['id']}")
    read_list(root, "/audit")


def tour_of_mails(guide: Guide) -> None:
    root, stranger, mailbox = guide.root, guide.stranger, guide.mailbox
    fresh = {"username": "dan", "email": "dan@example.com"}
    path = root.post("/users/invitations", fresh).headers["Location"]
    root.post("/users/invitations", fresh)
    root.post(f"{path}/invitation")
    chosen = {"token": mailbox.secret("invite"), "password": PASSWORD}
    stranger.post("/auth/reset", chosen)
    stranger.post("/auth/reset", chosen)
    root.post(f"{path}/invitation")
    stranger.post("/auth/forgot", {"email": "dan@example.com"})
    root.post("/users/me/confirmation")
    mails = {mail["To"]: LINK.findall(text(mail))[0][2] for mail in mailbox.receive()}
    link = {"token": mails["root@example.com"]}
    stranger.post("/auth/confirm", link)
    guide.ann.post("/auth/confirm", link)
    root.post("/auth/confirm", link)
    root.post("/auth/confirm", link)
    root.post("/users/me/confirmation")


def tour_of_tasks(guide: Guide) -> None:
    ann, bob = guide.ann, guide.bob
    assignee = bob.get("/users/me").get_json()["id"]
    for _ in range(2):
        made = ann.post("/tasks", {**ODD, "assignee_id": assignee}, headers=KEY)
    ann.post("/tasks", {"title": "Another"}, headers=KEY)
    path = made.headers["Location"]
    read(ann, path)
    bob.put(path, {"title": "Mine"})
    bob.delete(path)
    ann.put(path, {"title": "Prune", "assignee_id": assignee})
    ann.patch(path, {"status": "done"}, headers={"If-Match": '"1"'})
    ann.patch(path, {"status": "in_progress", "due_at": "2020-01-01T00:00:00+02:00"})
    read(ann, "/tasks/stats")
    read(ann, "/tasks/labels")
    read_list(ann, f"{path}/events")
    ann.delete(path)
    ann.get(path)
    ann.post(f"{path}/restore")
    read_list(ann, "/tasks")


def tour_of_many_tasks(guide: Guide) -> None:
    ann = guide.ann
    ann.call("POST", "/tasks/import", data=IMPORTED, content_type="text/csv")
    ann.call("POST", "/tasks/import", data="colour\nred\n", content_type="text/csv")
    for kind in ("csv", "ndjson"):
        ann.get(f"/tasks/export?format={kind}")
    task = ann.get("/tasks").get_json()["items"][0]
    change = {"op": "update", "id": task["id"], "data": {"priority": "low"}}
    made = {"op": "create", "data": {"title": "Plant"}}
    stale = {**change, "version": task["version"]}
    gone = {"op": "delete", "id": task["id"]}
    ann.post("/tasks/bulk", {"operations": [made, change]})
    ann.post("/tasks/bulk", {"operations": [made, stale]})
    ann.post("/tasks/bulk", {"operations": [gone]})
    ann.post("/tasks/bulk", {"operations": [gone]})


def tour_of_comments(guide: Guide) -> None:
    ann, bob = guide.ann, guide.bob
    assignee = bob.get("/users/me").get_json()["id"]
    task = ann.post("/tasks", {"title": "Prune", "assignee_id": assignee}).headers["Location"]
    path = ann.post(f"{task}/comments", {"body": "Now?"}).headers["Location"]
    read(ann, path)
    read_list(bob, f"{task}/comments")
    bob.patch(path, {"body": "Mine."})
    bob.delete(path)
    ann.patch(path, {"body": "Not now."}, headers={"If-Match": '"9"'})
    ann.patch(path, {"body": "Not now."})
    ann.delete(path)
    ann.get(path)


def tour_of_webhooks(guide: Guide) -> None:
    ann = guide.ann
    path = ann.post("/webhooks", WEBHOOK).headers["Location"]
    ann.post("/webhooks", {**WEBHOOK, "url": "http://127.0.0.1/"})
    read(ann, path)
    ann.post(f"{path}/rotate-secret")
    read_list(ann, "/webhooks")
    delivery = ann.post(f"{path}/test").get_json()["id"]
    ann.post(f"{path}/deliveries/{delivery}/redeliver")
    with guide.app.app_context():
        set_values(OutboxEntry, delivery, status="dead")
    ann.post(f"{path}/deliveries/{delivery}/redeliver")
    read_list(ann, f"{path}/deliveries")
    ann.patch(path, {"events": ["task.deleted"]}, headers={"If-Match": '"9"'})
    ann.patch(path, {"is_active": False})
    ann.post(f"{path}/test")
    ann.delete(path)
    ann.get(path)


TOURS: list[Callable[[Guide], None]] = [
    tour_of_signing_in,
    tour_of_tasks,
    tour_of_many_tasks,
    tour_of_comments,
    tour_of_mails,
    tour_of_second_factors,
    tour_of_webhooks,
    tour_of_the_admin,
    tour_of_ones_account,
]


def test_every_operation_answers_as_it_is_described(guide: Guide) -> None:
    for tour in TOURS:
        tour(guide)
    successes = {
        (operation["operationId"], int(status))
        for operations in DOCUMENT["paths"].values()
        for operation in operations.values()
        for status in operation["responses"]
        if status < "4"
    }
    assert successes - guide.conformance.seen == set()
