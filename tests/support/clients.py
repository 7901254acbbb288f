"""Clients of the service: one sends JSON with a bearer token, one fills in forms.

No client works while an app context is open: Flask would share the context, and with it the
database connection, with the request, which no server does.
"""

import re
from typing import Any

from flask import Flask, has_app_context
from flask_wtf.csrf import generate_csrf
from werkzeug.test import TestResponse

from app.product import SLUG
from app.services.access import page_sessions
from app.services.shared.actor import Actor
from app.services.users import users
from app.web import current_user
from app.web.middleware import REQUEST_ID
from tests.support import leaks

SESSION_COOKIE = f"{SLUG}_session"
CSRF_FIELD = re.compile(r'name="csrf_token"[^>]*? value="([^"]+)"')


class Api:
    """A client of the API. Paths are below /api/v1; `json` is the body. No token: a stranger."""

    def __init__(self, app: Flask, token: str | None = None) -> None:
        self.client = app.test_client(use_cookies=False)
        self.token = token

    def call(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, **options: Any
    ) -> TestResponse:
        assert not has_app_context(), "close the app context first"
        leaks.note(options.get("json"))
        credentials = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        path = path if path.startswith("/api/") else f"/api/v1{path}"
        return self.client.open(
            path, method=method, headers={**credentials, **(headers or {})}, **options
        )

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.call("GET", path, **options)

    def post(self, path: str, json: Any = None, **options: Any) -> TestResponse:
        return self.call("POST", path, json=json, **options)

    def put(self, path: str, json: Any = None, **options: Any) -> TestResponse:
        return self.call("PUT", path, json=json, **options)

    def patch(self, path: str, json: Any = None, **options: Any) -> TestResponse:
        return self.call("PATCH", path, json=json, **options)

    def delete(self, path: str, **options: Any) -> TestResponse:
        return self.call("DELETE", path, **options)


class Browser:
    """A client of the pages. Keeps cookies and sends forms with the last page's CSRF token."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.client = app.test_client()
        self.csrf_token = ""

    def get(self, path: str, **options: Any) -> TestResponse:
        return self._seen(self._open("GET", path, **options))

    def post(
        self, path: str, data: dict[str, Any] | None = None, *, form: str = "", **options: Any
    ) -> TestResponse:
        """Send the form of the page at `form` (by default of the last page) to `path`."""
        if form or not self.csrf_token:
            self.get(form or "/auth/login", follow_redirects=True)  # redirects to "/" if signed in
        fields = {"csrf_token": self.csrf_token, **(data or {})}
        return self._seen(self._open("POST", path, data=fields, **options))

    def sign_in(self, identifier: str, password: str) -> TestResponse:
        fields = {"identifier": identifier, "password": password}
        answer = self.post("/auth/login", fields, form="/auth/login")
        self.csrf_token = ""  # the stranger's session has ended
        return answer

    def start_session(self, person: Actor) -> None:
        """Sign in without the sign-in page, which costs two requests."""
        environ = {REQUEST_ID: "of-the-test", "REMOTE_ADDR": "127.0.0.1"}
        context = self.app.test_request_context(environ_overrides=environ)
        with context:
            user = users.get(person, person.id)
            secret = page_sessions.start(current_user.origin(), user, remember=False, user_agent="")
            current_user.sign_in(secret, remember=False)
            self.csrf_token = generate_csrf()
            answer = self.app.process_response(self.app.response_class())
        cookie, _, _ = answer.headers["Set-Cookie"].partition(";")
        self.client.set_cookie(*cookie.split("=", 1), secure=True)

    def _open(self, method: str, path: str, **options: Any) -> TestResponse:
        assert not has_app_context(), "close the app context first"
        leaks.note(options.get("data"))
        return self.client.open(path, method=method, **options)

    def _seen(self, answer: TestResponse) -> TestResponse:
        if answer.mimetype == "text/html" and (found := CSRF_FIELD.search(answer.text)):
            self.csrf_token = found[1]
        return answer
