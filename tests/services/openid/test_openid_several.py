"""Several OpenID providers: each has its button, and none can answer for another."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from authlib.common.urls import add_params_to_uri, url_decode
from flask import Flask

from app.models import LinkedAccount, Session, User
from tests.cli.test_doctor import said
from tests.support.clients import Browser
from tests.support.live import served
from tests.support.openid_provider import (
    CALLBACK,
    LINK,
    PUBLIC_URL,
    START,
    Provider,
    client_of,
    configure,
    go,
    link,
)
from tests.support.rows import events, rows

CELLAR = f"{START}/cellar"
# The pages are the same on both databases.
pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


@pytest.fixture(scope="module")
def second_server() -> Iterator[Provider]:
    server = Provider()
    with served(server.app) as port:
        server.issuer = f"http://127.0.0.1:{port}"
        yield server


@pytest.fixture
def second(
    app: Flask, provider: Provider, second_server: Provider, monkeypatch: pytest.MonkeyPatch
) -> Provider:
    """A second provider: `cellar` in the settings, with other users."""
    second_server.reset()
    second_server.callback = f"{CALLBACK}/cellar"
    second_server.person = {**second_server.person, "email": "dora@example.com"}
    first = client_of(provider.issuer)
    other = client_of(second_server.issuer, key="cellar", name="Cellar")
    configure(app, monkeypatch, first, other)
    return second_server


@pytest.mark.usefixtures("second")
@pytest.mark.parametrize("page", ["/auth/login", "/auth/register"])
def test_each_provider_has_a_button_of_its_name(browser: Browser, page: str) -> None:
    text = browser.get(f"{page}?next=/tasks").text
    for name, start in (("Orchard", START), ("Cellar", CELLAR)):
        assert f'href="{start}?next=/tasks">Continue with {name}</a>' in text


def test_same_subject_at_two_providers_is_two_people(
    app: Flask, provider: Provider, second: Provider
) -> None:
    for start in (START, CELLAR, START):
        assert go(Browser(app), start).location == "/"
    with app.app_context():
        assert {user.email for user in rows(User)} == {"carl@example.com", "dora@example.com"}
        linked = {(identity.issuer, identity.subject) for identity in rows(LinkedAccount)}
    assert linked == {(provider.issuer, "1001"), (second.issuer, "1001")}


def test_address_that_one_provider_told_opens_no_account_for_another(
    app: Flask, provider: Provider, second: Provider
) -> None:
    go(Browser(app))
    second.person["email"] = provider.person["email"]
    assert go(Browser(app), CELLAR).location == LINK


def answer_of(other: Provider, browser: Browser, start: str, **changes: Any) -> str:
    """Return the path of the redirect by `other` for a request that was made for `start`."""
    query = browser.get(start).location.partition("?")[2]
    asked = {**dict(url_decode(query)), "redirect_uri": other.callback, **changes}
    address = add_params_to_uri(f"{other.issuer}/authorize", asked.items())
    return httpx.get(address).headers["Location"].removeprefix(PUBLIC_URL)


def test_answer_of_one_provider_is_not_taken_for_anothers(
    app: Flask, browser: Browser, provider: Provider, second: Provider
) -> None:
    """A dishonest first provider redirects the browser to the second one, to get its code.

    The second provider does not name itself in the answer (RFC 9700, 4.4.1).
    """
    second.description = {"authorization_response_iss_parameter_supported": None}
    second.answer = {"iss": None}
    assert browser.get(answer_of(second, browser, START)).status_code == 400
    assert "token" not in provider.asked + second.asked
    with app.app_context():
        assert events("session.refused")[0].changes["openid"] == [None, "another provider"]
        assert rows(User) == rows(Session) == []


def test_answer_at_the_address_of_another_provider_is_refused(
    browser: Browser, provider: Provider, second: Provider
) -> None:
    """The second provider names itself in an answer to any address (RFC 9207)."""
    path = answer_of(second, browser, START).replace("/callback/cellar", "/callback")
    assert browser.get(path).status_code == 400
    assert "token" not in provider.asked + second.asked


def test_provider_that_signs_as_another_is_refused(
    app: Flask, browser: Browser, provider: Provider, second: Provider
) -> None:
    second.claims = {"iss": provider.issuer}
    assert go(browser, CELLAR).status_code == 400
    with app.app_context():
        assert rows(User) == []


def test_accounts_at_both_are_linked_and_unlinked_by_name(
    app: Flask, ann_browser: Browser, provider: Provider, second: Provider
) -> None:
    page = "/settings/identities"
    for start, name in ((START, "Orchard"), (CELLAR, "Cellar")):
        assert f'href="{start}">Link an account at {name}</a>' in ann_browser.get(page).text
        go(ann_browser, start)
        assert f"The {name} account" in ann_browser.get(LINK).text
        link(ann_browser)
    for email, name in (("carl@example.com", "Orchard"), ("dora@example.com", "Cellar")):
        assert f"{email} at {name}" in ann_browser.get(page).text
        with app.app_context():
            (identity,) = rows(LinkedAccount, email=email)
        ann_browser.post(f"{page}/{identity.id}/unlink", form=page)
        assert email not in ann_browser.get(page).text


@pytest.mark.parametrize("method", ["get", "post"])
def test_provider_that_left_the_settings_links_nothing(
    app: Flask,
    ann_browser: Browser,
    provider: Provider,
    second: Provider,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
) -> None:
    go(ann_browser, CELLAR)
    configure(app, monkeypatch, client_of(provider.issuer))
    answer = ann_browser.get(LINK) if method == "get" else ann_browser.post(LINK, form="/")
    assert answer.location == "/"
    with app.app_context():
        assert rows(LinkedAccount) == []


@pytest.mark.usefixtures("second")
@pytest.mark.parametrize("path", [f"{START}/nobody", "/auth/openid/callback/nobody"])
def test_name_that_no_provider_has_is_not_found(browser: Browser, path: str) -> None:
    assert browser.get(path).status_code == 404


def test_doctor_asks_each_provider(app: Flask, provider: Provider, second: Provider) -> None:
    second.description = {"issuer": "https://other.example"}
    assert "https://other.example" in said(app, "fault")["OpenID Cellar"]
    assert said(app, "ok")["OpenID Orchard"] == f"{provider.issuer} answers"
