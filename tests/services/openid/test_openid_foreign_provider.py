"""Signing in through a foreign OpenID provider (oidc-provider-mock, with Authlib's server side) in
its own process: our reading of the standard against theirs.
"""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import pytest
from flask import Flask

from app.models import LinkedAccount, User
from tests.support.clients import SESSION_COOKIE, Browser
from tests.support.openid_provider import PUBLIC_URL, START, client_of, configure
from tests.support.rows import rows

PATIENCE = 30  # seconds for its start on a busy machine
PERSON = {"sub": "dora", "email": "dora@example.com", "email_verified": True}


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = ["--port", str(port), "--require-nonce", "true", "--user-claims", json.dumps(PERSON)]
    with subprocess.Popen(
        [sys.executable, "-m", "oidc_provider_mock", *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield wait_for(f"http://localhost:{port}", process)
        finally:
            process.terminate()


def wait_for(issuer: str, process: "subprocess.Popen[bytes]") -> str:
    ends = time.monotonic() + PATIENCE
    while True:
        try:
            httpx.get(f"{issuer}/jwks").raise_for_status()
        except httpx.HTTPError:
            assert process.poll() is None, "it ended"
            assert time.monotonic() < ends, "it does not answer"
            time.sleep(0.1)
        else:
            return issuer


@pytest.fixture(autouse=True)
def set_up(app: Flask, monkeypatch: pytest.MonkeyPatch, issuer: str) -> None:
    configure(app, monkeypatch, client_of(issuer))


def answer(browser: Browser, **form: str) -> str:
    """Send the provider's form, and return the address of the redirect."""
    back = httpx.post(browser.get(START).location, data=form)
    return back.headers["Location"].removeprefix(PUBLIC_URL)


def test_somebody_is_logged_in_and_known_again(app: Flask, browser: Browser, issuer: str) -> None:
    for visitor in (browser, Browser(app)):
        assert visitor.get(answer(visitor, sub="dora")).location == "/"
        assert "dora" in visitor.get("/").text
    with app.app_context():
        assert [user.email for user in rows(User)] == ["dora@example.com"]
        (identity,) = rows(LinkedAccount)
        assert (identity.issuer, identity.subject) == (issuer, "dora")


def test_code_is_good_once_there(browser: Browser, app: Flask) -> None:
    callback = answer(browser, sub="dora")
    cookie = browser.client.get_cookie(SESSION_COOKIE)
    assert cookie is not None
    browser.get(callback)
    thief = Browser(app)
    thief.client.set_cookie(SESSION_COOKIE, cookie.value)
    assert thief.get(callback).status_code == 400


def test_who_refuses_there_is_not_logged_in(app: Flask, browser: Browser) -> None:
    assert browser.get(answer(browser, action="deny")).status_code == 400
    with app.app_context():
        assert rows(User) == []
