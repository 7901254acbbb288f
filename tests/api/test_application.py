"""The API and the probes run through plain Flask: its hooks and signals, but without a session."""

from unittest.mock import Mock

import pytest
from flask import Flask, after_this_request, request_tearing_down
from flask.sessions import SecureCookieSessionInterface
from werkzeug.test import EnvironBuilder

from app.web.application import Application
from tests.support.clients import Api


def test_no_session_is_opened_for_the_api_and_the_probes(
    app: Flask, ann_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = Mock()
    monkeypatch.setattr(SecureCookieSessionInterface, "open_session", opened)
    cookie = f"{app.config['SESSION_COOKIE_NAME']}=x"
    headers = {"Authorization": f"Bearer {ann_api.token}", "Cookie": cookie}
    for path in ("/api/v1/users/me", "/api/v1/nothing", "/api/docs", "/healthz", "/readyz"):
        for method in ("GET", "HEAD", "OPTIONS", "PUT"):
            answer = ann_api.client.open(path, method=method, headers=headers)
            assert "Set-Cookie" not in answer.headers
            assert "Cookie" not in answer.headers.get("Vary", "")
    assert not opened.called


def test_teardown_hook_of_a_blueprint_runs_in_the_api(
    app: Flask, ann_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann_api.get("/users/me")
    hook = Mock()
    monkeypatch.setitem(app.teardown_request_funcs, "api", [hook])
    ann_api.get("/users/me")
    hook.assert_called_once_with(None)


def test_function_for_after_this_request_runs_in_the_api(
    app: Flask, ann_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mark() -> None:
        after_this_request(lambda response: response.headers.add("X-Marked", "1") or response)

    ann_api.get("/users/me")
    monkeypatch.setitem(app.before_request_funcs, "api", [mark])
    assert ann_api.get("/users/me").headers["X-Marked"] == "1"


def test_signal_is_sent_in_the_api(app: Flask, ann_api: Api) -> None:
    heard: list[object] = []
    with request_tearing_down.connected_to(lambda sender, **_: heard.append(sender), app):
        ann_api.get("/users/me")
    assert heard == [app]


@pytest.mark.parametrize(
    ("path", "environ"),
    [
        ("/tasks", {}),
        ("//tasks//x", {"QUERY_STRING": "q=gr%C3%BCn&x=\xff"}),
        ("/caf\xc3\xa9", {"HTTP_HOST": "Example.COM:8000"}),
        ("/tasks", {"HTTP_HOST": "example.com:80", "SCRIPT_NAME": "/below"}),
        ("/tasks", {"wsgi.url_scheme": "https", "HTTP_HOST": "[::1]:443"}),
        ("/tasks", {"HTTP_HOST": "in valid"}),
        ("/tasks", {"HTTP_CONNECTION": "Upgrade", "HTTP_UPGRADE": "websocket"}),
        ("", {}),
    ],
)
def test_routes_are_matched_as_by_flask(path: str, environ: dict[str, str]) -> None:
    app = Application("app")
    given = {**EnvironBuilder(method="POST").get_environ(), "PATH_INFO": path, **environ}
    ours, flasks = (
        vars(create(app, app.request_class(dict(given))))
        for create in (Application.create_url_adapter, Flask.create_url_adapter)
    )
    # Matching ignores more than one slash before the path.
    flasks["path_info"] = path and f"/{flasks['path_info'].lstrip('/')}"
    assert ours == flasks
