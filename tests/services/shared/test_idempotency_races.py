"""Idempotency-Key with concurrent requests and with a worker that dies."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.models import Comment, IdempotencyRecord, Task
from app.services.shared.actor import Actor
from app.services.tasks import tasks
from tests.api.test_idempotency_api import KEY, number, post_task, replayed
from tests.api.test_tasks_api import make
from tests.conftest import signed_in_api
from tests.support.answers import slug_of
from tests.support.clients import Api
from tests.support.races import at_once

ROUNDS, CALLERS = 4, 50
# A worker that dies after the commit and before the first byte of its answer.
DYING_WORKER = """
import os, sys
from app.services.shared import idempotency
from tests.support.clients import Api
from tests.support.databases import make_app
run_once = idempotency.run_once
idempotency.run_once = lambda *given: (run_once(*given), os._exit(9))
url, token, key = sys.argv[1:]
headers = {"Idempotency-Key": key}
Api(make_app(url), token).post("/tasks", {"title": "Water the plums"}, headers=headers)
"""


def settled(answers: list[TestResponse]) -> set[bytes]:
    """Return the bodies of successful answers. Asserts that all others are 409."""
    for answer in answers:
        assert answer.status_code == 201 or slug_of(answer) == (409, "conflict"), answer.text
        assert ("Retry-After" in answer.headers) == (answer.status_code == 409)
    return {answer.data for answer in answers if answer.status_code == 201}


@pytest.mark.parametrize("attempt", range(ROUNDS))
def test_of_fifty_at_once_one_makes_the_task(app: Flask, ann_api: Api, attempt: int) -> None:
    callers = [Api(app, ann_api.token) for _ in range(CALLERS)]
    answers = at_once([lambda api=api: post_task(api) for api in callers])  # type: ignore[misc]
    assert len(settled(answers)) == 1
    assert number(app) == number(app, IdempotencyRecord) == 1
    assert settled([post_task(ann_api)]) == settled(answers)


def test_of_fifty_at_once_one_makes_the_comment(app: Flask, ann_api: Api) -> None:
    path, headers = f"/tasks/{make(ann_api)['id']}/comments", {"Idempotency-Key": KEY}
    callers = [Api(app, ann_api.token) for _ in range(CALLERS)]
    answers = at_once(
        [
            lambda api=api: api.post(path, {"body": "x"}, headers=headers)  # type: ignore[misc]
            for api in callers
        ]
    )
    assert len(settled(answers)) == 1
    assert number(app, Comment) == 1


@pytest.mark.parametrize(
    ("path", "body", "kind"),
    [
        ("/tasks/import", "title\nPlums\nPears\n", "text/csv"),
        ("/tasks/bulk", '{"operations": [{"op": "create", "data": {"title": "x"}}]}', None),
    ],
)
def test_of_twenty_at_once_one_makes_the_many(
    app: Flask, ann_api: Api, path: str, body: str, kind: str | None
) -> None:
    options: dict[str, Any] = {"data": body, "content_type": kind or "application/json"}
    headers = {"Idempotency-Key": KEY}
    callers = [Api(app, ann_api.token) for _ in range(20)]
    calls = [partial(api.call, "POST", path, headers=headers, **options) for api in callers]
    answers = at_once(calls)
    done = {answer.data for answer in answers if answer.status_code in (200, 201)}
    assert len(done) == number(app, IdempotencyRecord) == 1
    assert number(app) == (2 if kind else 1)
    assert {answer.status_code for answer in answers} <= {200, 201, 409}


def test_of_different_payloads_at_once_one_is_made(app: Flask, ann_api: Api) -> None:
    callers = [Api(app, ann_api.token) for _ in range(20)]
    answers = at_once(
        [lambda n=n, api=api: post_task(api, title=f"{n}") for n, api in enumerate(callers)]  # type: ignore[misc]
    )
    assert [answer.status_code for answer in answers].count(201) == 1
    others = {slug_of(answer) for answer in answers if answer.status_code != 201}
    assert others <= {(409, "conflict"), (422, "idempotency-key-reused")}
    assert number(app) == 1


def test_same_key_of_many_people_at_once_makes_a_task_for_each(
    app: Flask, ann_api: Api, bob_api: Api, root_api: Api
) -> None:
    callers = [ann_api, bob_api, root_api]
    answers = at_once([lambda api=api: post_task(api) for api in callers])  # type: ignore[misc]
    assert [answer.status_code for answer in answers] == [201] * 3
    assert len(settled(answers)) == 3


def test_repeat_while_the_first_is_at_work_makes_no_second(
    app: Flask, ann_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On PostgreSQL the repeat gets 409 at once; on SQLite it waits for the write lock."""
    at_work, go_on, create = threading.Event(), threading.Event(), tasks.create

    def slow(*args: Any) -> Task:
        at_work.set()
        assert go_on.wait(10)
        return create(*args)

    monkeypatch.setattr(tasks, "create", slow)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(post_task, Api(app, ann_api.token))
        assert at_work.wait(10)
        second = pool.submit(post_task, Api(app, ann_api.token))
        if app.config["SQLALCHEMY_DATABASE_URI"].startswith("postgresql"):
            assert slug_of(second.result(10)) == (409, "conflict")
        go_on.set()
        made = first.result(10)
        assert made.status_code == 201
        assert settled([second.result(10)]) <= {made.data}
    assert number(app) == 1


def test_key_is_free_again_after_a_failure_half_way(
    app: Flask, ann_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the answer cannot be stored, the task is not created either."""
    with monkeypatch.context() as patch:
        patch.setattr("app.services.shared.idempotency._insert", None)
        assert slug_of(post_task(ann_api)) == (500, "internal-error")
    assert number(app) == 0
    assert not replayed(post_task(ann_api))
    assert number(app) == 1


def test_answer_of_a_worker_that_died_after_the_commit_is_not_lost(
    app: Flask, ann: Actor, ann_api: Api
) -> None:
    url, token = app.config["SQLALCHEMY_DATABASE_URI"], signed_in_api(app, ann).token
    arguments = [sys.executable, "-c", DYING_WORKER, url, str(token), KEY]
    assert subprocess.run(arguments, check=False).returncode == 9
    answer = post_task(ann_api)
    assert (answer.status_code, replayed(answer), number(app)) == (201, True, 1)
    assert ann_api.get(answer.headers["Location"]).get_json() == answer.get_json()
