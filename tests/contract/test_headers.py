"""The headers of every answer, for any request and any outcome."""

import re
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.errors import Unavailable
from app.services.shared.actor import Actor
from app.services.tasks import tasks
from tests.conftest import PASSWORD, MakeApp
from tests.contract.test_routes import each, of, on_one_database
from tests.support.answers import MISSING, PROBLEM, PROBLEM_MEMBERS, slug_of
from tests.support.clients import Api, Browser
from tests.support.routes import API_ROUTES, PAGE_ROUTES, ROUTES, Route

ONCE = {
    "Cache-Control": r"no-store|(public|private), no-cache|.*max-age=\d+.*",
    "Content-Security-Policy": r"default-src 'none'; (?!.*unsafe).*frame-ancestors 'none'",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": r"camera=\(\), .*",
    "Referrer-Policy": "strict-origin-when-cross-origin|no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Request-ID": "[0-9a-f]{32}",
}
NEVER = {
    "Access-Control-Allow-Origin",
    "Server",
    "Strict-Transport-Security",
    "X-Powered-By",
    "X-XSS-Protection",
}
ODD = [  # requests of a stranger
    ("GET", "/nothing"),
    ("GET", "/api/nothing"),
    ("GET", "/api/v1/nothing"),
    ("GET", "/api/v2/tasks"),
    ("GET", "/api/v1/tasks/1"),
    ("GET", "/static/nothing.css"),
    ("GET", "/static/../config.py"),
    ("GET", "/static/%00"),
    ("GET", "/.env"),
    ("GET", "/.git/config"),
    ("GET", "//evil.example/"),
    ("GET", "/admin"),
    ("GET", "/%ff%00"),
    ("POST", "/"),
    ("POST", "/auth/login"),
    ("PUT", "/api/v1/tasks"),
    ("DELETE", "/healthz"),
    ("TRACE", "/api/v1/tasks"),
    ("PROPFIND", "/api/v1/tasks"),
    ("OPTIONS", "/api/v1/tasks"),
    ("OPTIONS", "/api/nothing"),
    ("HEAD", "/static/app.css"),
]
HOSTS = ["evil.example", "localhost.evil.example", "evil.example:8000", "", "localhost@evil", "["]
ODD_PORTS = ["localhost:x", "localhost:\u00b3", "localhost:", "localhost:80:80", "localhost:99999"]
OURS = ["localhost", "LOCALHOST:9", "127.0.0.1:8000", "[::1]", "[::1]:8000"]


def check(answer: TestResponse) -> None:
    with answer:
        for name, pattern in ONCE.items():
            (value,) = answer.headers.getlist(name)
            assert re.fullmatch(pattern, value), (name, value)
        assert NEVER.isdisjoint(answer.headers.keys())


@on_one_database
@each(ROUTES)
def test_every_route_answers_with_the_security_headers(api: Api, route: Route) -> None:
    check(api.client.open(route.path(), method=route.method))


@on_one_database
@each(of(PAGE_ROUTES, "GET"))
def test_every_page_has_the_security_headers(root_browser: Browser, route: Route) -> None:
    check(root_browser.client.get(route.path()))


@on_one_database
@pytest.mark.parametrize(("method", "path"), ODD)
def test_whatever_is_asked_is_answered_with_the_security_headers(
    api: Api, method: str, path: str
) -> None:
    answer = api.client.open(path, method=method)
    assert answer.status_code < 500
    check(answer)


@on_one_database
def test_https_is_kept_to_where_the_service_has_it(other_app: MakeApp) -> None:
    client = other_app(PUBLIC_URL="https://tasks.example.org").test_client()
    answer = client.get("/auth/login", base_url="https://tasks.example.org")
    hsts = answer.headers["Strict-Transport-Security"]
    assert hsts == "max-age=63072000; includeSubDomains"  # the domain's owner decides on preload
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-")
    assert all(part in cookie for part in ("; Secure", "; HttpOnly", "; Path=/", "; SameSite=Lax"))


@on_one_database
def test_cookie_over_plain_http_is_not_secure(api: Api) -> None:
    cookie = api.client.get("/auth/login").headers["Set-Cookie"]
    assert "Secure" not in cookie
    assert all(part in cookie for part in ("; HttpOnly", "; Path=/", "; SameSite=Lax"))


@on_one_database
def test_each_cookie_of_a_sign_in_is_kept_from_others(other_app: MakeApp, ann: Actor) -> None:
    """ASVS 5.0, 3.3.1 to 3.3.5: the session and the list of known devices."""
    browser = Browser(other_app(PUBLIC_URL="https://localhost"))
    browser.get("/auth/login", base_url="https://localhost")
    fields = {"identifier": "ann", "password": PASSWORD}
    from_here: Any = {"base_url": "https://localhost", "headers": {"Origin": "https://localhost"}}
    cookies = browser.post("/auth/login", fields, **from_here).headers.getlist("Set-Cookie")
    assert sorted(cookie.partition("=")[0] for cookie in cookies) == [
        "__Host-devices",
        "__Host-session",
    ]
    for cookie in cookies:
        assert len(cookie.partition(";")[0]) < 4096
        assert "domain" not in cookie.lower()
        for part in ("Secure", "HttpOnly", "Path=/", "SameSite=Lax"):
            assert f"; {part}" in cookie


@on_one_database
@each(API_ROUTES)
def test_api_sets_no_cookie_and_is_kept_by_no_cache(root_api: Api, route: Route) -> None:
    answer = root_api.call(route.method, route.path(), json={})
    expected = "private, no-cache" if "ETag" in answer.headers else "no-store"
    assert answer.headers["Cache-Control"] == expected
    assert "Set-Cookie" not in answer.headers


@on_one_database
@each([route for route in of(PAGE_ROUTES, "GET") if route.endpoint != "static"])
def test_page_of_somebody_is_kept_by_no_cache(root_browser: Browser, route: Route) -> None:
    answer = root_browser.client.get(route.path())
    assert answer.headers["Cache-Control"] == "no-store"
    assert "text/html" not in answer.content_type or "Cookie" in answer.headers["Vary"]


@on_one_database
def test_static_file_is_kept_for_long(api: Api) -> None:
    with api.client.get("/static/app.css") as answer:
        assert "max-age=31536000" in answer.headers["Cache-Control"]
        assert "Set-Cookie" not in answer.headers
        assert "Vary" not in answer.headers


@on_one_database
@pytest.mark.parametrize(
    "given", ["a", "A.b_c-9", "x" * 128, "019a3f5e-7c00-7b21-9d4e-3f8a5c6b7d10"]
)
@pytest.mark.parametrize("path", ["/about", "/api/v1/tasks", "/nothing", "/healthz"])
def test_sane_request_id_is_kept(api: Api, path: str, given: str) -> None:
    answer = api.client.get(path, headers={"X-Request-ID": given})
    assert answer.headers.getlist("X-Request-ID") == [given]
    assert answer.mimetype != PROBLEM or answer.get_json()["request_id"] == given


@on_one_database
@pytest.mark.parametrize(
    "given", ["", " ", "x" * 129, "a b", "a,b", "a/b", "<b>", "\u00e9", "a;", '"a"']
)
def test_other_request_id_is_replaced(api: Api, given: str) -> None:
    answers = [api.client.get("/about", headers={"X-Request-ID": given}) for _ in range(2)]
    first, second = (answer.headers["X-Request-ID"] for answer in answers)
    assert re.fullmatch("[0-9a-f]{32}", first)
    assert first not in (second, given)


@on_one_database
@each(of(ROUTES, "GET"))
def test_unknown_host_is_refused_but_by_a_probe(api: Api, route: Route) -> None:
    for host in HOSTS:
        with api.client.get(route.path(), environ_overrides={"HTTP_HOST": host}) as answer:
            assert (answer.status_code == 400) == (route.rule not in ("/healthz", "/readyz")), host
            assert (answer.mimetype == PROBLEM) == (answer.status_code == 400 and route.in_api)


@on_one_database
@pytest.mark.parametrize("host", ODD_PORTS)
def test_odd_port_in_a_host_breaks_nothing(api: Api, host: str) -> None:
    for path in ("/about", "/api/v1/tasks", "/tasks"):
        answer = api.client.get(path, environ_overrides={"HTTP_HOST": host})
        assert answer.status_code in (200, 302, 400, 401)


@on_one_database
@pytest.mark.parametrize("host", OURS)
def test_loopback_host_is_known(api: Api, host: str) -> None:
    answer = api.client.get("/about", environ_overrides={"HTTP_HOST": host})
    assert answer.status_code == 200


@on_one_database
def test_known_hosts_are_a_setting(other_app: MakeApp) -> None:
    app = other_app(PUBLIC_URL="http://tasks.example.org:80", TRUSTED_HOSTS="a.example, B.example")
    hosts = ["tasks.example.org", "a.example", "b.example:9", "c.example"]
    client = app.test_client()
    statuses = [client.get("/about", headers={"Host": host}).status_code for host in hosts]
    assert statuses == [200, 200, 200, 400]


def check_problem(answer: TestResponse, status: int, path: str) -> None:
    assert slug_of(answer)[0] == status
    body = answer.get_json()
    assert set(body) - {"errors"} == PROBLEM_MEMBERS
    assert (body["instance"], body["request_id"]) == (path, answer.headers["X-Request-ID"])
    assert body["title"]
    assert body["detail"]


@on_one_database
@pytest.mark.parametrize(
    "path", ["/api/", "/api/v1", "/api/v1/", "/api/v1/x", "/api/v1/tasks/%C3%A9"]
)
def test_path_of_nothing_below_api_is_a_problem(api: Api, path: str) -> None:
    check_problem(api.client.get(path), 404, path.replace("%C3%A9", "\u00e9"))


@on_one_database
@each(API_ROUTES)
def test_other_method_is_told_which_ones_do(root_api: Api, route: Route) -> None:
    known = root_api.call("OPTIONS", route.path()).headers["Allow"]
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"} - set(known.split(", ")):
        answer = root_api.call(method, route.path())
        check_problem(answer, 405, route.path())
        assert set(answer.headers["Allow"].split(", ")) == set(known.split(", "))


def raised(error: Exception) -> Any:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    return fail


def test_bug_is_a_problem_that_tells_nothing(
    app: Flask, ann_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "get", raised(RuntimeError("SELECT secret FROM users")))
    answer = ann_api.get(f"/tasks/{MISSING}")
    check_problem(answer, 500, f"/api/v1/tasks/{MISSING}")
    assert "secret" not in answer.text
    check(answer)


def test_database_that_is_away_is_a_problem_for_a_while(
    ann_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "get", raised(Unavailable("It is away.")))
    answer = ann_api.get(f"/tasks/{MISSING}")
    check_problem(answer, 503, f"/api/v1/tasks/{MISSING}")
    assert int(answer.headers["Retry-After"]) > 0


@on_one_database
@pytest.mark.parametrize("path", ["/nothing", "/tasks/1", "/problems/nothing"])
def test_error_of_a_page_is_a_page(api: Api, path: str) -> None:
    answer = api.client.get(path)
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert answer.headers["X-Request-ID"] in answer.text
