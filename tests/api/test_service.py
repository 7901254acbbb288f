"""The shorter way to an operation gives what Flask's own way gives."""

from typing import Any

import pytest
from flask import Flask, after_this_request, request, request_started, url_for
from flask.globals import request_ctx
from werkzeug.test import EnvironBuilder, TestResponse

from app.services.shared.actor import Actor
from app.services.tasks import tasks
from app.web.application import SHORT, Call, Service
from tests.support.clients import Api

CHANGING = {"X-Request-ID", "RateLimit", "Date"}  # from one request to the next
CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", "/tasks", {}),
    ("GET", "/tasks?limit=1&count=true", {}),
    ("GET", "/tasks?limit=0", {}),
    ("HEAD", "/tasks", {}),
    ("OPTIONS", "/tasks", {}),
    ("DELETE", "/tasks", {}),
    ("POST", "/tasks", {"json": {"title": ""}}),
    ("POST", "/tasks", {"data": "title=x"}),
    ("GET", "/tasks/ID", {}),
    ("GET", "/tasks/ID", {"headers": {"If-None-Match": '"1"'}}),
    ("PATCH", "/tasks/ID", {"json": {"title": "x"}, "headers": {"If-Match": '"7"'}}),
    ("PATCH", "/tasks/ID", {"data": "x", "content_type": "text/plain"}),
    ("GET", "/tasks/ID/", {}),
    ("GET", "/tasks/IDx", {}),
    ("GET", "/tasks/*", {}),
    ("GET", "/tasks/ID/comments/*", {}),
    ("GET", "/tasks/ID/comments/ID", {}),
    ("GET", "//tasks", {}),
    ("GET", "/users/by-username/ann", {}),
    ("GET", "/users/me", {"headers": {"Host": "elsewhere.example"}}),
    ("GET", "/users/me", {"headers": {"Authorization": "Bearer nothing"}}),
]


def seen(answer: TestResponse) -> tuple[int, list[tuple[str, str]], bytes]:
    headers = [(name, value) for name, value in answer.headers if name not in CHANGING]
    body = answer.data.replace(answer.headers["X-Request-ID"].encode(), b"")
    return answer.status_code, headers, body


@pytest.mark.parametrize(("method", "path", "given"), CALLS)
def test_answer_is_what_flask_itself_would_give(
    app: Service,
    ann: Actor,
    ann_api: Api,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    path: str,
    given: dict[str, Any],
) -> None:
    with app.app_context():
        path = path.replace("ID", tasks.create(ann, {"title": "Mend the roof"}).id.upper())
    short = seen(ann_api.call(method, path, **given))
    monkeypatch.setitem(vars(app), "routes", {})
    assert seen(ann_api.call(method, path, **given)) == short


def test_every_operation_is_a_call(app: Service) -> None:
    plain = {rule.rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith(SHORT)} - {
        route.rule.rule for route in app.routes.values()
    }
    assert plain == {"/api/v1/users/by-username/<username>"}


@pytest.fixture
def kinds(app: Flask, monkeypatch: pytest.MonkeyPatch) -> list[type]:
    """The class of the context of each request that is made."""
    found: list[type] = []
    dispatch = app.full_dispatch_request

    def note() -> Any:
        found.append(type(request_ctx._get_current_object()))  # type: ignore[attr-defined]
        return dispatch()

    monkeypatch.setattr(app, "full_dispatch_request", note)
    return found


def test_who_listens_to_a_signal_hears_it(app: Flask, ann_api: Api, kinds: list[type]) -> None:
    heard: list[object] = []
    with request_started.connected_to(lambda sender: heard.append(sender), app):
        ann_api.get("/users/me")
    ann_api.get("/users/me")
    assert (heard, [kind is Call for kind in kinds]) == ([app], [False, True])


def test_what_is_to_be_done_after_a_request_is_done(
    app: Service, ann_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mark() -> None:
        after_this_request(lambda response: response.headers.add("X-Marked", "1") or response)

    route = app.routes["GET", "/api/v1/users/me"]
    marking = {("GET", "/api/v1/users/me"): route._replace(before=[*route.before, mark])}
    monkeypatch.setitem(vars(app), "routes", marking)
    assert ann_api.get("/users/me").headers["X-Marked"] == "1"


def test_context_can_be_taken_along(app: Flask) -> None:
    environ = EnvironBuilder("/api/v1/tasks/00000000-0000-7000-8000-000000000000").get_environ()
    with app.request_context(environ) as call:
        copied = call.copy()
        assert (type(copied), copied.request) == (Call, request._get_current_object())  # type: ignore[attr-defined]
        assert url_for("api.users.me") == "/api/v1/users/me"


def test_link_takes_an_argument_of_any_name() -> None:
    """Also the first one of its rule, which compiles what makes it."""
    app = Service(__name__)
    app.add_url_rule("/rules", "rules")
    with app.test_request_context():
        assert url_for("rules", rule="a", values="b") == "/rules?rule=a&values=b"
