"""Idempotency-Key: a repeated request runs once and gets the same answer."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app.extensions import db
from app.models import IDEMPOTENCY_RECORDS, Comment, IdempotencyRecord, Task
from app.services.shared.actor import Actor
from tests.api.test_tasks_api import make
from tests.conftest import signed_in_api
from tests.support.answers import MISSING, slug_of
from tests.support.clients import Api

KEY = "8e03978e-40d5-43dd-bc93-6894a57f9324"
KEPT = ("Content-Type", "Location", "ETag", "Cache-Control", "Vary")
MALFORMED = [
    "",
    " ",
    '"',
    '""',
    '"unclosed',
    'unopened"x" y',
    "a b",
    '"a b"',
    "x" * 256,
    f'"{"x" * 256}"',
    "caf\u00e9",
    '"caf\u00e9"',
    '"a\\b"',
    '"a"b"',
    '"a";p=1',
    "a\tb",
    "\x7f",
]


def post_task(api: Api, key: str = KEY, **values: Any) -> TestResponse:
    body = {"title": "Water the plums", **values}
    return api.post("/tasks", body, headers={"Idempotency-Key": key})


def number(app: Flask, model: Any = Task) -> int:
    query = select(func.count()).select_from(model.__table__)
    with app.app_context(), db.engine.connect() as connection:
        return connection.execute(query).scalar_one()


def replayed(answer: TestResponse) -> bool:
    assert answer.headers.get("Idempotent-Replayed", "true") == "true"
    return "Idempotent-Replayed" in answer.headers


def test_repeat_gets_the_first_answer_byte_for_byte(app: Flask, ann_api: Api) -> None:
    first, again = (post_task(ann_api, title="Gr\u00fcn \U0001f33f") for _ in range(2))
    assert (again.status_code, again.data) == (201, first.data)
    assert {name: again.headers[name] for name in KEPT} == {n: first.headers[n] for n in KEPT}
    assert (replayed(first), replayed(again), number(app)) == (False, True, 1)


def test_first_answer_is_the_one_without_a_key_would_get(ann_api: Api) -> None:
    plain = ann_api.post("/tasks", {"title": "x"})
    keyed = post_task(ann_api, title="x")
    assert set(keyed.headers.keys()) == set(plain.headers.keys())
    assert keyed.get_json().keys() == plain.get_json().keys()
    assert ann_api.get(keyed.headers["Location"]).get_json() == keyed.get_json()


def test_repeat_gets_the_answer_of_then(ann_api: Api) -> None:
    first = post_task(ann_api)
    ann_api.patch(f"/tasks/{first.get_json()['id']}", {"title": "Changed"})
    assert post_task(ann_api).data == first.data
    ann_api.delete(f"/tasks/{first.get_json()['id']}")
    assert post_task(ann_api).data == first.data


def test_each_answer_has_a_request_id_of_its_own(ann_api: Api) -> None:
    first, again = post_task(ann_api), post_task(ann_api)
    assert first.headers["X-Request-ID"] != again.headers["X-Request-ID"]


@pytest.mark.parametrize(
    ("path", "body", "content_type"),
    [
        ("/tasks", '{"title": "x"}', "application/json"),
        ("/tasks/bulk", '{"operations": [{"op": "create", "data": {"title": "x"}}]}', None),
        ("/tasks/import", "title\nx\n", "text/csv"),
        ("/tasks/import", '{"title": "x"}', "application/x-ndjson"),
    ],
)
def test_every_way_to_make_tasks_takes_a_key(
    app: Flask, ann_api: Api, path: str, body: str, content_type: str | None
) -> None:
    options: dict[str, Any] = {"data": body, "content_type": content_type or "application/json"}
    headers = {"Idempotency-Key": KEY}
    first = ann_api.call("POST", path, headers=headers, **options)
    again = ann_api.call("POST", path, headers=headers, **options)
    assert (first.status_code // 100, again.status_code) == (2, first.status_code)
    assert (again.data, replayed(again), number(app)) == (first.data, True, 1)


def test_comment_takes_a_key(app: Flask, ann_api: Api) -> None:
    path = f"/tasks/{make(ann_api)['id']}/comments"
    first, again = (
        ann_api.post(path, {"body": "Ripe."}, headers={"Idempotency-Key": KEY}) for _ in range(2)
    )
    assert (again.status_code, again.data, replayed(again)) == (201, first.data, True)
    assert again.headers["Location"] == first.headers["Location"]
    assert number(app, Comment) == 1


def test_large_import_takes_a_key(app: Flask, ann_api: Api) -> None:
    """The body is larger than other operations accept."""
    body = "title,description\n" + f"x,{'y' * 9000}\n" * 150
    options: dict[str, Any] = {"data": body, "content_type": "text/csv"}
    for _ in range(2):
        answer = ann_api.call("POST", "/tasks/import", headers={"Idempotency-Key": KEY}, **options)
        assert (answer.status_code, answer.get_json()) == (201, {"created": 150, "warnings": []})
    assert number(app) == 150


@pytest.mark.parametrize("path", ["/tasks", "/tasks/bulk"])
def test_body_that_is_too_large_is_refused_with_a_key_too(ann_api: Api, path: str) -> None:
    answer = ann_api.post(path, {"title": "x" * 2**20}, headers={"Idempotency-Key": KEY})
    assert slug_of(answer) == (413, "content-too-large")


@pytest.mark.parametrize("changed", [{"title": "Other"}, {"priority": "low"}])
def test_key_with_another_payload_is_refused(
    app: Flask, ann_api: Api, changed: dict[str, Any]
) -> None:
    post_task(ann_api)
    assert slug_of(post_task(ann_api, **changed)) == (422, "idempotency-key-reused")
    assert number(app) == 1


def test_key_with_another_path_is_refused(app: Flask, ann_api: Api) -> None:
    headers, one, two = {"Idempotency-Key": KEY}, make(ann_api)["id"], make(ann_api)["id"]
    ann_api.post(f"/tasks/{one}/comments", {"body": "x"}, headers=headers)
    answer = ann_api.post(f"/tasks/{two}/comments", {"body": "x"}, headers=headers)
    assert slug_of(answer) == (422, "idempotency-key-reused")
    assert number(app, Comment) == 1


def test_key_with_another_type_of_body_is_refused(ann_api: Api) -> None:
    headers = {"Idempotency-Key": KEY}
    same = [
        ann_api.call("POST", "/tasks/import", headers=headers, data="title", content_type=kind)
        for kind in ("text/csv", "application/x-ndjson")
    ]
    assert same[0].status_code == 201
    assert slug_of(same[1]) == (422, "idempotency-key-reused")


def test_keys_of_two_people_are_two(app: Flask, ann_api: Api, bob_api: Api) -> None:
    mine, theirs = post_task(ann_api), post_task(bob_api)
    assert (theirs.status_code, replayed(theirs)) == (201, False)
    assert mine.get_json()["id"] != theirs.get_json()["id"]


def test_key_belongs_to_the_person_and_not_to_the_token(
    app: Flask, ann: Actor, ann_api: Api
) -> None:
    first = post_task(ann_api)
    again = post_task(signed_in_api(app, ann))
    assert (again.data, replayed(again)) == (first.data, True)


@pytest.mark.parametrize(
    ("one", "other"), [(KEY, f'"{KEY}"'), ('a"b\\c', '"a\\"b\\\\c"'), (f'  "{KEY}" ', KEY)]
)
def test_quoted_and_bare_are_the_same_key(app: Flask, ann_api: Api, one: str, other: str) -> None:
    first = post_task(ann_api, one)
    assert post_task(ann_api, other).data == first.data
    assert number(app) == 1


@pytest.mark.parametrize("key", ["x", "x" * 255, f'"{"x" * 255}"', "!", "~", "a,b", "0"])
def test_key_has_1_to_255_visible_characters(ann_api: Api, key: str) -> None:
    assert post_task(ann_api, key).status_code == 201
    assert replayed(post_task(ann_api, key))


@pytest.mark.parametrize("key", MALFORMED)
def test_malformed_key_is_refused(app: Flask, ann_api: Api, key: str) -> None:
    assert slug_of(post_task(ann_api, key)) == (400, "malformed")
    assert number(app) == 0


def test_keys_are_told_apart_by_case(app: Flask, ann_api: Api) -> None:
    assert [post_task(ann_api, key).status_code for key in ("key", "KEY")] == [201, 201]
    assert number(app) == 2


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/tasks", {"title": ""}),
        ("/tasks", {"title": "x", "assignee_id": MISSING}),
        (f"/tasks/{MISSING}/comments", {"body": "x"}),
        ("/tasks/bulk", {"operations": [{"op": "delete", "id": MISSING}]}),
    ],
)
def test_failure_is_not_kept(app: Flask, ann_api: Api, path: str, body: dict[str, Any]) -> None:
    for _ in range(2):
        answer = ann_api.post(path, body, headers={"Idempotency-Key": KEY})
        assert answer.status_code in (404, 422)
        assert not replayed(answer)
    assert number(app, IdempotencyRecord) == 0
    assert post_task(ann_api).status_code == 201


def test_key_is_forgotten_after_a_day(app: Flask, ann_api: Api) -> None:
    first = post_task(ann_api)
    pass_time(app, timedelta(hours=23, minutes=59))
    assert post_task(ann_api).data == first.data
    pass_time(app, timedelta(minutes=1))
    second = post_task(ann_api, title="Other")
    assert (second.status_code, replayed(second), number(app)) == (201, False, 2)
    assert post_task(ann_api, title="Other").data == second.data


def pass_time(app: Flask, by: timedelta) -> None:
    """Move the creation of all records back by `by`."""
    table: Any = IDEMPOTENCY_RECORDS
    with app.app_context(), db.engine.begin() as connection:
        for record in connection.execute(select(table)).all():
            old = table.update().where(table.c.key == record.key)
            connection.execute(old.values(created_at=record.created_at - by))


def test_stored_key_is_no_way_round_the_sign_in(app: Flask, api: Api, ann_api: Api) -> None:
    post_task(ann_api)
    assert slug_of(post_task(api)) == (401, "unauthorized")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/auth/login", {"identifier": "ann", "password": "x"}),
        ("/auth/refresh", {"refresh_token": "x"}),
        ("/auth/logout", None),
        ("/users", {"username": "x"}),
        ("/tokens", {"name": "x", "scopes": ["tasks:read"]}),
        (f"/tasks/{MISSING}/restore", None),
    ],
)
@pytest.mark.parametrize("key", [KEY, ""])
def test_any_other_post_refuses_a_key(ann_api: Api, path: str, body: Any, key: str) -> None:
    answer = ann_api.post(path, body, headers={"Idempotency-Key": key})
    assert slug_of(answer) == (400, "idempotency-not-supported")
    assert ann_api.get("/users/me").status_code == 200


@pytest.mark.parametrize("method", ["GET", "PATCH", "PUT", "DELETE"])
def test_what_may_be_repeated_anyway_passes_over_a_key(ann_api: Api, method: str) -> None:
    path = f"/tasks/{make(ann_api)['id']}"
    headers = {"Idempotency-Key": KEY}
    answer = ann_api.call(method, path, json={"title": "x"}, headers=headers)
    assert answer.status_code in (200, 204)
