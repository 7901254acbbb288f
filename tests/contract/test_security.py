"""Attacks that once succeeded: the service refuses them at low cost."""

import io
import json
import threading
import time
from typing import Any

import pytest
from flask import Flask

from app.errors import Invalid, NotFound, TooManyRequests
from app.models.sign_in_attempt import PAIR_MAX
from app.models.user import EMAIL_MAX
from app.schemas.strict_json import FAULTS_MAX, ITEMS_MAX, POINTER_MAX
from app.services.authentication import authentication
from app.services.shared import throttle
from app.services.shared.actor import Actor
from app.services.tasks import comments, tasks
from app.services.users import identifiers, passwords
from app.sql import atomic
from tests.conftest import PASSWORD
from tests.support.answers import blamed, slug_of
from tests.support.clients import SESSION_COOKIE, Api, Browser
from tests.support.races import race

JSON = "application/json"
# Normalizing this text (NFKC) would block the whole process for minutes.
SLOW_TEXT = "a" + "\u0316\u0301" * 200_000
QUICK = 5  # seconds, on a busy machine


def sign_in(api: Api, password: str) -> Any:
    body = json.dumps({"identifier": "ann", "password": password}, ensure_ascii=False)
    return api.post("/auth/login", data=body.encode(), content_type=JSON)


def test_huge_password_costs_no_time(app: Flask, ann: Actor) -> None:
    started = time.monotonic()
    answer = sign_in(Api(app), SLOW_TEXT)
    assert (answer.status_code, time.monotonic() - started < QUICK) == (401, True)


def test_nothing_behind_a_password_is_cut_off() -> None:
    longest = "\u00e9" * 128
    assert not passwords.verify(passwords.hash_(longest), longest + "x" * 500)
    assert not passwords.verify(passwords.hash_("x" * passwords.TYPED_MAX), "x" * 600)


def test_longest_password_fits_in_every_spelling() -> None:
    assert passwords.verify(passwords.hash_("\u00e9" * 128), "e\u0301" * 128)


@pytest.mark.parametrize("email", ["a" * EMAIL_MAX + "@example.org", SLOW_TEXT + "@example.org"])
def test_huge_email_is_refused_unread(email: str) -> None:
    with pytest.raises(Invalid, match="email"):
        identifiers.checked_email(email)


@pytest.mark.parametrize(
    "body",
    [
        '{"' + "k" * 20_000 + '": [' + ",".join(['"\\u0000"'] * 900) + "]}",
        '{"title": ' + "[" * 90 + ",".join(['"\\u0000"'] * 900) + "]" * 90 + "}",
        "{" + ",".join(f'"field-{number}": 1' for number in range(900)) + "}",
        '{"labels": [' + ",".join(["1"] * 900) + "]}",
        '{"' + "k" * 500_000 + '": 1}',
    ],
)
def test_answer_does_not_grow_with_the_faults(ann_api: Api, body: str) -> None:
    answer = ann_api.post("/tasks", data=body.encode(), content_type=JSON)
    assert answer.status_code == 422
    pointers = blamed(answer)
    assert len(pointers) <= FAULTS_MAX
    assert max(map(len, pointers)) <= POINTER_MAX + 1


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("/tasks", {"title": "x", "labels": ["a"] * (ITEMS_MAX + 1)}, "/labels"),
        ("/tasks", {"title": "x", "a/b": [{"c": [0] * 5000}]}, "/a~1b/0/c"),
        ("/tasks/bulk", {"operations": [{}] * 5000}, "/operations"),
        ("/tasks", {str(number): 1 for number in range(5000)}, ""),
    ],
)
def test_crowd_of_values_is_not_looked_at(
    ann_api: Api, path: str, body: dict[str, Any], pointer: str
) -> None:
    answer = ann_api.post(path, body)
    assert slug_of(answer) == (422, "invalid")
    assert blamed(answer) == [pointer]


@pytest.mark.parametrize("origin", ["http://[", "http://[::1", "http://a]b", "null", "", "evil"])
def test_odd_origin_is_refused(app: Flask, origin: str) -> None:
    answer = Browser(app).post("/auth/login", {}, headers={"Origin": origin})
    assert answer.status_code == 400


def test_own_origin_may_send_forms(app: Flask, ann: Actor) -> None:
    fields = {"identifier": "ann", "password": PASSWORD}
    answer = Browser(app).post("/auth/login", fields, headers={"Origin": "http://localhost"})
    assert answer.status_code == 303


@pytest.mark.parametrize("name", ["If-Modified-Since", "If-Range"])
def test_date_of_no_calendar_is_passed_over(app: Flask, name: str) -> None:
    date = "Thu, 01 Jan 1970 00:00:00 +" + "9" * 50
    answer = app.test_client().get("/static/app.css", headers={name: date, "Range": "bytes=0-1"})
    assert answer.status_code in (200, 206)
    answer.close()


def test_part_without_a_name_is_no_form(app: Flask) -> None:
    body = b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n"
    kind = "multipart/form-data; boundary=b"
    answer = app.test_client().post("/auth/login", data=body, content_type=kind)
    assert answer.status_code == 400


def test_file_is_no_text(app: Flask) -> None:
    browser = Browser(app)
    browser.get("/auth/login")
    files = {name: (io.BytesIO(b"ann"), "x.txt") for name in ("identifier", "password")}
    answer = browser.client.post("/auth/login", data={"csrf_token": browser.csrf_token, **files})
    assert answer.status_code == 422


@pytest.mark.parametrize("body", ["5", "[1]", '{"identifier": 1, "password": {}}'])
def test_pages_take_no_json(app: Flask, body: str) -> None:
    browser = Browser(app)
    browser.get("/auth/login")
    headers = {"X-CSRFToken": browser.csrf_token}
    answer = browser.client.post("/auth/login", data=body, content_type=JSON, headers=headers)
    assert answer.status_code == 422


@pytest.mark.usefixtures("ctx")
def test_right_password_that_comes_too_late_is_not_taken(
    ann: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    verify = passwords.verify

    def slowly(kept: str | None, password: str) -> bool:
        for _ in range(PAIR_MAX):  # concurrent guesses of others
            throttle.settle(throttle.account_of(ann.id, ""), ann.address, succeeded=False)
        return verify(kept, password)

    monkeypatch.setattr(passwords, "verify", slowly)
    with pytest.raises(TooManyRequests):
        authentication.confirm(ann, PASSWORD)


def test_nobody_comments_on_what_is_being_taken_away(app: Flask, ann: Actor, bob: Actor) -> None:
    with app.app_context():
        task = tasks.create(ann, {"title": "x", "assignee_id": bob.id})
    taken = threading.Event()

    @atomic
    def take_away() -> None:
        tasks.update(ann, task.id, {"assignee_id": None})
        taken.set()
        time.sleep(0.3)  # the other thread works while this transaction is open

    def comment() -> Any:
        taken.wait(QUICK)
        return comments.create(bob, task.id, "too late")

    assert isinstance(race(app, [take_away, comment])[1], NotFound)


@pytest.mark.parametrize("surplus", [0, 1])
def test_chunked_form_is_taken_whole_or_not_at_all(ann_browser: Browser, surplus: int) -> None:
    ann_browser.get("/tasks/new")
    start = f"csrf_token={ann_browser.csrf_token}&title=Plums&other=".encode()
    body = start.ljust(2**20 + surplus, b"x")
    environ = {
        "CONTENT_TYPE": "application/x-www-form-urlencoded",
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
    }
    answer = ann_browser.client.post("/tasks/new", environ_overrides=environ)
    assert answer.status_code == (413 if surplus else 303)


@pytest.mark.parametrize(
    "host", ["localhost:\xb2", "localhost:", "localhost:1@evil", "a@localhost"]
)
def test_odd_host_is_refused(app: Flask, host: str) -> None:
    assert app.test_client().get("/admin", headers={"Host": host}).status_code == 400


def test_signing_in_anew_ends_the_session_before(app: Flask, ann: Actor) -> None:
    browser, thief = Browser(app), app.test_client()
    browser.sign_in("ann", PASSWORD)
    cookie = browser.client.get_cookie(SESSION_COOKIE)
    assert cookie is not None
    thief.set_cookie(SESSION_COOKIE, cookie.value)
    assert thief.get("/tasks").status_code == 200
    fields = {"identifier": "ann", "password": PASSWORD}
    assert browser.post("/auth/login", fields, form="/settings/password").status_code == 303
    assert thief.get("/tasks").status_code == 302
    assert browser.get("/tasks").status_code == 200
