"""The rate limit: in the headers of each answer, counted for each token, else each address."""

import logging
import re
import socket
import time
from collections.abc import Iterator

import pytest
import redis
from flask import Flask
from werkzeug.test import TestResponse

from app.models import Task
from app.services.shared.actor import Actor
from app.web import rate_limit
from tests.conftest import MakeApp, signed_in_api, signed_in_browser
from tests.support.answers import MISSING, slug_of
from tests.support.clients import Api, Browser
from tests.support.races import at_once
from tests.support.redis_server import RedisServer, redis_server
from tests.support.rows import rows

RATE = re.compile(r'"default";r=(\d+);t=(\d+)')
LIMITED = (429, "too-many-requests")


def left(answer: TestResponse) -> int:
    found = RATE.fullmatch(answer.headers["RateLimit"])
    assert found
    return int(found[1])


def ask(api: Api, times: int = 1) -> list[int]:
    return [api.get("/tasks").status_code for _ in range(times)]


@pytest.fixture
def strict(other_app: MakeApp) -> Flask:
    """The service with a limit of five requests an hour."""
    return other_app(RATELIMIT_DEFAULT="5 per hour")


def test_answer_tells_the_policy_and_what_is_left(ann_api: Api) -> None:
    first, second = ann_api.get("/tasks"), ann_api.post("/tasks", {"title": "x"})
    assert first.headers["RateLimit-Policy"] == '"default";q=1000;w=60'
    assert (left(first), left(second)) == (999, 998)
    assert 0 < int(RATE.fullmatch(first.headers["RateLimit"])[2]) <= 60  # type: ignore[index]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", f"/tasks/{MISSING}", 404),
        ("GET", "/tasks?limit=0", 422),
        ("POST", "/tasks", 415),
        ("GET", "/users", 403),
        ("HEAD", "/tasks", 200),
        ("DELETE", f"/tasks/{MISSING}", 404),
        ("GET", "/tasks/export?format=csv", 200),
    ],
)
def test_every_answer_tells_it(ann_api: Api, method: str, path: str, status: int) -> None:
    answer = ann_api.call(method, path)
    assert (answer.status_code, left(answer)) == (status, 999)
    assert len(answer.headers.getlist("RateLimit")) == 1


def test_not_modified_tells_it_too(ann_api: Api) -> None:
    answer = ann_api.get("/users/me", headers={"If-None-Match": '"1"'})
    assert (answer.status_code, left(answer)) == (304, 999)


def test_sixth_of_five_is_refused(strict: Flask, ann: Actor) -> None:
    api = signed_in_api(strict, ann)
    assert ask(api, 5) == [200] * 5
    answer = api.get("/tasks")
    assert (slug_of(answer), left(answer)) == (LIMITED, 0)
    assert answer.headers["RateLimit-Policy"] == '"default";q=5;w=3600'
    assert 0 < int(answer.headers["Retry-After"]) <= 3600


def test_each_token_has_a_limit_of_its_own(strict: Flask, ann: Actor, bob: Actor) -> None:
    first, second, third = (signed_in_api(strict, person) for person in (ann, ann, bob))
    assert ask(first, 6)[-1] == 429
    assert (ask(second), ask(third)) == ([200], [200])


def test_refused_request_does_nothing(strict: Flask, ann: Actor, ann_api: Api) -> None:
    api = signed_in_api(strict, ann)
    ask(api, 5)
    assert slug_of(api.post("/tasks", {"title": "x"})) == LIMITED
    assert ann_api.get("/tasks").get_json()["items"] == []


@pytest.mark.parametrize("token", [None, "fst_wrong"])
def test_strangers_are_counted_by_address(strict: Flask, ann: Actor, token: str | None) -> None:
    stranger, elsewhere = Api(strict, token), {"REMOTE_ADDR": "192.0.2.7"}
    assert ask(stranger, 6) == [401] * 5 + [429]
    assert stranger.post("/auth/login", {}).status_code == 429
    assert stranger.get("/tasks", environ_overrides=elsewhere).status_code == 401
    assert ask(signed_in_api(strict, ann)) == [200]


def test_address_is_not_taken_from_a_header(strict: Flask) -> None:
    statuses = [
        Api(strict).get("/tasks", headers={"X-Forwarded-For": f"192.0.2.{n}"}).status_code
        for n in range(6)
    ]
    assert statuses[-1] == 429


def test_nothing_is_counted_where_it_is_switched_off(other_app: MakeApp, ann: Actor) -> None:
    app = other_app(RATELIMIT_ENABLED="0", RATELIMIT_DEFAULT="1 per hour")
    api = signed_in_api(app, ann)
    assert ask(api, 3) == [200] * 3
    assert {"RateLimit", "RateLimit-Policy"}.isdisjoint(api.get("/tasks").headers.keys())


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/static/app.css"])
def test_probes_and_static_files_are_not_limited(strict: Flask, path: str) -> None:
    browser = Browser(strict)
    answers = [browser.client.get(path, buffered=True) for _ in range(6)]
    assert {answer.status_code for answer in answers} == {200}
    assert "RateLimit" not in answers[0].headers


def test_stranger_on_the_pages_is_counted_by_address(strict: Flask) -> None:
    answers = [Browser(strict).get(path) for path in ("/", "/about", "/nowhere", "/tasks", "/")]
    assert [left(answer) for answer in answers] == [4, 3, 2, 1, 0]
    refused = Browser(strict).get("/about")
    assert (refused.status_code, refused.mimetype) == (429, "text/html")
    assert 0 < int(refused.headers["Retry-After"]) <= 3600
    elsewhere = {"REMOTE_ADDR": "192.0.2.9"}
    assert Browser(strict).get("/about", environ_overrides=elsewhere).status_code == 200


def test_each_session_on_the_pages_has_a_limit_of_its_own(strict: Flask, ann: Actor) -> None:
    browser, other = signed_in_browser(strict, ann), signed_in_browser(strict, ann)
    assert [browser.get("/tasks").status_code for _ in range(6)] == [200] * 5 + [429]
    assert other.get("/tasks").status_code == 200


def test_form_that_comes_too_often_does_nothing(strict: Flask, ann: Actor) -> None:
    browser = signed_in_browser(strict, ann)
    for _ in range(5):
        browser.get("/tasks/new")
    assert browser.post("/tasks/new", {"title": "x"}).status_code == 429
    assert ask(signed_in_api(strict, ann)) == [200]
    with strict.app_context():
        assert rows(Task) == []


def test_window_ends(other_app: MakeApp, ann: Actor) -> None:
    api = signed_in_api(other_app(RATELIMIT_DEFAULT="2 per second"), ann)
    while 429 not in ask(api, 3):
        pass
    time.sleep(int(api.get("/tasks").headers["Retry-After"]) + 0.1)
    assert ask(api) == [200]


def test_count_is_right_among_threads(other_app: MakeApp, ann: Actor) -> None:
    app = other_app(RATELIMIT_DEFAULT="20 per hour")
    token = signed_in_api(app, ann).token
    found = at_once([lambda: ask(Api(app, token), 2) for _ in range(16)])
    assert sum(found, []).count(200) == 20  # noqa: RUF017


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with redis_server() as started:
        yield started


@pytest.fixture
def pair(other_app: MakeApp, server: RedisServer) -> Iterator[list[Flask]]:
    """Two instances of the service, like two processes, that share a Redis."""
    settings = {"RATELIMIT_DEFAULT": "6 per hour", "REDIS_URL": server.url}
    yield [other_app(**settings), other_app(**settings)]
    if server.process is None:
        server.start()


def both(pair: list[Flask], ann: Actor) -> list[Api]:
    """A client of each instance, with the same token."""
    first = signed_in_api(pair[0], ann)
    return [first, Api(pair[1], first.token)]


def test_instances_share_the_count_through_redis(pair: list[Flask], ann: Actor) -> None:
    one, other = both(pair, ann)
    assert [left(api.get("/tasks")) for api in (one, other, one)] == [5, 4, 3]
    assert ask(other, 4) == [200, 200, 200, 429]
    answer = one.get("/tasks")
    assert (slug_of(answer), left(answer)) == (LIMITED, 0)
    assert 0 < int(answer.headers["Retry-After"]) <= 3600


def test_count_in_redis_is_right_among_threads_of_two(pair: list[Flask], ann: Actor) -> None:
    token = both(pair, ann)[0].token
    found = at_once([lambda app=app: ask(Api(app, token)) for app in pair * 8])  # type: ignore[misc]
    assert sum(found, []).count(200) == 6  # noqa: RUF017


def pttls(server: RedisServer) -> list[int]:
    """Return the remaining milliseconds of each key in Redis, -1 for a key without expiry."""
    with redis.Redis.from_url(server.url) as client:
        return [client.pttl(key) for key in client.scan_iter()]


def test_key_in_redis_ends_with_its_window(
    pair: list[Flask], ann: Actor, server: RedisServer
) -> None:
    ask(both(pair, ann)[0], 3)
    assert pttls(server)
    assert all(0 < left <= 3_600_000 for left in pttls(server))


def test_key_in_redis_that_has_lost_its_end_gets_one(
    pair: list[Flask], ann: Actor, server: RedisServer
) -> None:
    one, other = both(pair, ann)
    with redis.Redis.from_url(server.url) as client:
        client.flushall()
        ask(one, 6)
        for key in client.scan_iter():
            client.persist(key)
    assert ask(other) == [429]
    assert -1 not in pttls(server)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The warnings of the limiter."""
    warnings: list[str] = []
    monkeypatch.setattr(logging.getLogger("service.ratelimit"), "warning", warnings.append)
    return warnings


def test_each_counts_by_itself_while_redis_is_away(
    pair: list[Flask], ann: Actor, server: RedisServer, told: list[str]
) -> None:
    one, other = both(pair, ann)
    ask(one, 2)
    server.stop()
    started = time.monotonic()
    assert [left(api.get("/tasks")) for api in (one, other, one)] == [5, 5, 4]
    assert time.monotonic() - started < 2
    assert told == ["Redis is away: requests are counted in each process."] * 2
    assert ask(one, 5) == [200] * 4 + [429]


def test_count_is_shared_again_once_redis_is_back(
    pair: list[Flask], ann: Actor, server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limit, "RETRY_SHARED", 0.2)
    one, other = both(pair, ann)
    server.stop()
    assert ask(one, 3) + ask(other, 3) == [200] * 6
    server.start()
    time.sleep(0.3)
    assert [left(api.get("/tasks")) for api in (one, other)] == [5, 4]


def test_service_starts_while_redis_is_away(
    other_app: MakeApp, server: RedisServer, ann: Actor, pair: list[Flask]
) -> None:
    server.stop()
    app = other_app(REDIS_URL=server.url)
    assert ask(signed_in_api(app, ann), 2) == [200, 200]


def test_redis_that_hangs_holds_nobody_up_for_long(other_app: MakeApp, ann: Actor) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        app = other_app(REDIS_URL=f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        api = signed_in_api(app, ann)
        started = time.monotonic()
        assert ask(api, 5) == [200] * 5
    assert time.monotonic() - started < 2
