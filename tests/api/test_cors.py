"""Pages of the origins in CORS_ORIGINS, and no others, may call the API, without credentials."""

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.services.shared.actor import Actor
from tests.conftest import KeepApp, signed_in_api
from tests.support.answers import MISSING
from tests.support.clients import Api
from tests.support.databases import make_app

OURS, OTHER = "https://app.example.org", "http://localhost:3000"
FOREIGN = [
    "https://evil.example",
    "https://app.example.org.evil.example",
    "https://evilapp.example.org",
    "http://app.example.org",
    "https://app.example.org:8443",
    "https://app.example.org/",
    "null",
    "",
    "*",
]
EXPOSED = {
    "ETag",
    "Link",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "X-Request-ID",
    "Deprecation",
    "Sunset",
    "Content-Disposition",
    "WWW-Authenticate",
}
TRACING = {"traceparent", "tracestate", "baggage", "sentry-trace", "x-requested-with"}


def build(url: str) -> Flask:
    return make_app(url, CORS_ORIGINS=f"{OURS}, {OTHER}", RATELIMIT_DEFAULT="6 per hour")


@pytest.fixture
def shared(kept_app: KeepApp) -> Flask:
    """The service with two allowed origins."""
    return kept_app(build)


@pytest.fixture
def api(shared: Flask, ann: Actor) -> Api:
    return signed_in_api(shared, ann)


def granted(answer: TestResponse) -> list[str]:
    return [name for name, _ in answer.headers if name.startswith("Access-Control-")]


def preflight(api: Api, path: str, method: str, origin: str = OURS) -> TestResponse:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type,if-match",
    }
    return Api(api.client.application).call("OPTIONS", path, headers=asked)


@pytest.mark.parametrize("origin", [OURS, OTHER])
def test_configured_origin_may_read_the_answer(api: Api, origin: str) -> None:
    answer = api.get("/tasks", headers={"Origin": origin})
    assert answer.headers["Access-Control-Allow-Origin"] == origin
    assert "Origin" in answer.headers.getlist("Vary")
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"


def test_what_a_client_needs_is_exposed(api: Api) -> None:
    answer = api.get("/tasks", headers={"Origin": OURS})
    assert set(answer.headers["Access-Control-Expose-Headers"].split(", ")) >= EXPOSED


@pytest.mark.parametrize("path", ["/tasks", f"/tasks/{MISSING}", "/nothing", "/openapi.json"])
def test_credentials_are_never_allowed(api: Api, path: str) -> None:
    for answer in (api.get(path, headers={"Origin": OURS}), preflight(api, path, "GET")):
        assert "Access-Control-Allow-Credentials" not in answer.headers
        assert answer.headers["Access-Control-Allow-Origin"] == OURS


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", f"/tasks/{MISSING}", 404),
        ("GET", "/nothing", 404),
        ("PUT", "/tasks", 405),
        ("POST", "/tasks", 415),
        ("GET", "/tasks?limit=x", 422),
        ("GET", "/audit", 403),
    ],
)
def test_error_may_be_read_as_well(api: Api, method: str, path: str, status: int) -> None:
    answer = api.call(method, path, headers={"Origin": OURS})
    assert answer.status_code == status
    assert answer.headers["Access-Control-Allow-Origin"] == OURS


def test_refusals_may_be_read_as_well(api: Api, shared: Flask) -> None:
    headers = {"Origin": OURS}
    unknown = Api(shared).get("/tasks", headers=headers)
    limited = [api.get("/tasks", headers=headers) for _ in range(7)][-1]
    assert (unknown.status_code, limited.status_code) == (401, 429)
    for answer in (unknown, limited):
        assert answer.headers["Access-Control-Allow-Origin"] == OURS


@pytest.mark.parametrize("origin", FOREIGN)
def test_foreign_origin_is_granted_nothing(api: Api, origin: str) -> None:
    for answer in (
        api.get("/users/me", headers={"Origin": origin}),
        preflight(api, "/tasks", "POST", origin),
    ):
        assert granted(answer) == []
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "Origin" in answer.headers.getlist("Vary")


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/tasks", "POST"),
        (f"/tasks/{MISSING}", "PATCH"),
        (f"/tasks/{MISSING}", "DELETE"),
        ("/auth/login", "POST"),
    ],
)
def test_preflight_allows_the_methods_and_headers_of_the_api(
    api: Api, path: str, method: str
) -> None:
    answer = preflight(api, path, method)
    assert answer.status_code in (200, 204)
    assert method in answer.headers["Access-Control-Allow-Methods"].split(", ")
    allowed = set(answer.headers["Access-Control-Allow-Headers"].lower().split(", "))
    assert allowed >= {"authorization", "content-type", "if-match", "if-none-match"}
    assert allowed >= {"idempotency-key", "x-request-id"}
    assert allowed >= TRACING
    assert 0 < int(answer.headers["Access-Control-Max-Age"]) <= 86_400


@pytest.mark.parametrize(
    "path", ["/nothing", "/tasks/", "/tasks/1", "/api/nothing", "/api/v2/tasks", "/api/"]
)
def test_preflight_of_any_path_below_the_api_is_answered(api: Api, path: str) -> None:
    answer = preflight(api, path, "GET")
    assert answer.status_code in (200, 204)
    assert answer.headers["Access-Control-Allow-Origin"] == OURS
    assert "GET" in answer.headers["Access-Control-Allow-Methods"].split(", ")
    assert preflight(api, path, "GET", "https://evil.example").status_code == 404
    assert api.call("OPTIONS", path, headers={"Origin": OURS}).status_code == 404


def test_preflight_is_not_limited(api: Api) -> None:
    answers = [preflight(api, "/tasks", "POST") for _ in range(8)]
    assert {answer.status_code for answer in answers} == {200}


def test_plain_options_is_no_preflight(api: Api) -> None:
    answer = api.call("OPTIONS", "/tasks", headers={"Origin": OURS})
    assert (answer.status_code, "POST" in answer.headers["Allow"]) == (200, True)
    assert "Access-Control-Allow-Methods" not in answer.headers


@pytest.mark.parametrize("path", ["/", "/auth/login", "/healthz", "/static/app.css", "/nothing"])
def test_pages_are_shared_with_nobody(shared: Flask, path: str) -> None:
    answer = shared.test_client().get(path, headers={"Origin": OURS})
    answer.close()
    assert granted(answer) == []
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_nothing_is_shared_by_default(ann_api: Api) -> None:
    answer = ann_api.get("/tasks", headers={"Origin": OURS})
    assert granted(answer) == []
    assert "Origin" not in answer.headers.getlist("Vary")


def test_request_without_an_origin_is_answered_as_ever(api: Api) -> None:
    answer = api.get("/tasks")
    assert (answer.status_code, granted(answer)) == (200, [])
    assert "Origin" in answer.headers.getlist("Vary")
