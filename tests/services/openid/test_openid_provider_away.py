"""An OpenID provider that is unreachable, hangs, or violates the protocol."""

import socket
import threading

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.errors import ProviderAway
from app.services.openid import provider as openid_provider, provider_client
from app.services.shared.actor import Actor
from tests.conftest import PASSWORD
from tests.support.clients import Browser
from tests.support.live import served
from tests.support.openid_provider import START, Claims, Provider, client_of, configure, go


def away(answer: TestResponse) -> bool:
    return answer.status_code == 503 and answer.headers["Retry-After"] == "5"


@pytest.mark.parametrize(
    "description",
    [
        {"issuer": "https://evil.example"},
        {"issuer": None},
        {"token_endpoint": None},
        {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": 5},
        {"jwks_uri": "http://127.0.0.1:1/"},
        {"userinfo_endpoint": "ftp://example.com"},
    ],
)
def test_provider_that_describes_itself_wrongly_is_not_used(
    browser: Browser, provider: Provider, description: Claims
) -> None:
    provider.description = description
    answer = browser.get(START)
    assert away(answer if answer.status_code != 302 else go(browser))


def test_secure_provider_names_no_insecure_address() -> None:
    client = client_of("https://id.example")
    told = dict.fromkeys(openid_provider.NEEDED, "https://id.example/")
    check = openid_provider.Provider(client)._check
    check({"issuer": "https://id.example", **told})
    with pytest.raises(ProviderAway):
        check({"issuer": "https://id.example", **told, "jwks_uri": "http://id.example/"})


@pytest.mark.parametrize(
    ("tokens", "status"),
    [
        ({"id_token": None}, 200),
        ({"access_token": None}, 200),
        ({"error": "invalid_client"}, 401),
        ({}, 500),
        ({}, 302),
    ],
)
def test_provider_that_gives_no_token_is_away(
    browser: Browser, provider: Provider, tokens: Claims, status: int
) -> None:
    provider.tokens, provider.status = tokens, status
    assert away(go(browser))


def test_provider_that_says_it_is_busy_is_away(browser: Browser, provider: Provider) -> None:
    provider.answer = {"error": "temporarily_unavailable"}
    assert away(go(browser))


@pytest.mark.parametrize("page", ["", "<html>no</html>"])
def test_code_that_is_not_taken_keeps_nobody_else_out(
    app: Flask, browser: Browser, provider: Provider, page: str
) -> None:
    provider.tokens, provider.status, provider.page = {"error": "invalid_request"}, 400, page
    assert away(go(browser))
    assert Browser(app).get(START).status_code == 302


def test_error_in_the_address_keeps_nobody_else_out(
    app: Flask, browser: Browser, provider: Provider
) -> None:
    provider.answer = {"error": "server_error"}
    assert away(go(browser))
    assert Browser(app).get(START).status_code == 302


def test_provider_that_is_not_there_is_said_to_be_away_and_the_password_still_does(
    app: Flask, browser: Browser, ann: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(app, monkeypatch, client_of("http://127.0.0.1:1"))
    assert away(browser.get(START))
    assert browser.sign_in("ann", PASSWORD).status_code == 303


def test_provider_that_hangs_holds_nobody_for_long(
    app: Flask, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider_client, "TIMEOUT", 0.2)
    provider_client._client.cache_clear()
    with socket.create_server(("127.0.0.1", 0)) as mute:
        configure(app, monkeypatch, client_of(f"http://127.0.0.1:{mute.getsockname()[1]}"))
        assert away(browser.get(START))
        mute.accept()[0].close()
        mute.settimeout(0)
        assert away(browser.get(START))  # at once: no second attempt is made
        with pytest.raises(BlockingIOError):
            mute.accept()
    provider_client._client.cache_clear()


def test_provider_that_hangs_holds_up_no_other_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider_client, "TIMEOUT", 0.05)
    monkeypatch.setattr(provider_client, "PAUSE", 0.0)
    ended, hanging, other = threading.Event(), provider_client.Line(), provider_client.Line()
    for _ in range(5):
        with pytest.raises(ProviderAway):
            hanging.within_time(ended.wait)
    monkeypatch.setattr(provider_client, "TIMEOUT", 5.0)
    assert other.within_time(lambda: "here") == "here"
    ended.set()


def test_provider_that_sends_a_byte_now_and_then_holds_nobody_for_long(
    app: Flask, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No socket timeout ends such an answer."""
    monkeypatch.setattr(provider_client, "TIMEOUT", 1.0)
    provider_client._client.cache_clear()
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as slow:
        thread = threading.Thread(target=drip, args=(slow, ended))
        thread.start()
        configure(app, monkeypatch, client_of(f"http://127.0.0.1:{slow.getsockname()[1]}"))
        answer, still_sending = browser.get(START), thread.is_alive()
        ended.set()
        thread.join()
    assert away(answer)
    assert still_sending
    provider_client._client.cache_clear()


def drip(server: socket.socket, ended: threading.Event) -> None:
    """Send the head of an answer until the test ends, for at most 10 seconds."""
    connection, _ = server.accept()
    with connection:
        connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
        for _ in range(200):
            connection.sendall(b"x")
            if ended.wait(0.05):
                break


def test_provider_that_is_back_is_used_again(
    browser: Browser, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.description = {"issuer": "wrong"}
    assert away(browser.get(START))
    provider.description = {}
    assert away(browser.get(START))
    monkeypatch.setattr(provider_client, "PAUSE", 0.0)
    assert go(browser).status_code == 303


def test_provider_whose_certificate_nobody_signed_is_not_used(
    app: Flask, browser: Browser, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(provider.app, tls=True) as port:
        configure(app, monkeypatch, client_of(f"https://127.0.0.1:{port}"))
        provider.asked = []
        assert away(browser.get(START))
    assert provider.asked == []
