"""The offer of a passkey after a sign-in by password, which "not now" ends for good."""

import pytest
from flask import Flask

from app.models import User
from app.services.shared.actor import Actor
from tests.conftest import PASSWORD, MakeApp
from tests.support.clients import Browser
from tests.support.mailbox import Mailbox
from tests.support.rows import add_factor, prove_address, rows

OFFER = "data-passkey-offer"
DECLINE = "/settings/two-factor/passkeys/not-now"


@pytest.fixture
def ann_browser(app: Flask, ann: Actor) -> Browser:
    """Ann's browser after the sign-in page, which the offer belongs to."""
    browser = Browser(app)
    browser.sign_in(ann.username, PASSWORD)
    return browser


def is_offered(browser: Browser, path: str = "/tasks") -> bool:
    return OFFER in browser.get(path).text


def test_it_stands_on_one_page_after_signing_in(ann_browser: Browser) -> None:
    assert [is_offered(ann_browser) for _ in range(2)] == [True, False]


def test_not_now_holds_on_every_device(app: Flask, ann_browser: Browser, ann: Actor) -> None:
    assert is_offered(ann_browser)
    answer = ann_browser.post(f"{DECLINE}?next=/tasks", form="/tasks")
    assert (answer.status_code, answer.location) == (303, "/tasks")
    other = Browser(app)
    other.sign_in("ann", PASSWORD)
    assert not is_offered(other)
    with app.app_context():
        (user,) = rows(User)
    assert user.version == 1  # the account is unchanged


def test_who_did_not_answer_is_asked_after_the_next_sign_in(app: Flask, ann: Actor) -> None:
    for _ in range(2):
        browser = Browser(app)
        browser.sign_in("ann", PASSWORD)
        assert is_offered(browser)


def test_who_has_one_is_not_asked(app: Flask, ann: Actor) -> None:
    with app.app_context():
        add_factor(ann.id, "passkey")
    browser = Browser(app)
    browser.sign_in("ann", PASSWORD)  # the next page asks for the passkey
    assert not is_offered(browser, "/auth/two-factor")


def test_address_comes_first_where_mail_is_set_up(app: Flask, mailbox: Mailbox, ann: Actor) -> None:
    seen = []
    for _ in range(2):
        browser = Browser(app)
        browser.sign_in("ann", PASSWORD)
        seen.append(is_offered(browser))
        prove_address(app, ann)
    assert seen == [False, True]


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_nothing_is_offered_where_passkeys_do_not_work(other_app: MakeApp, ann: Actor) -> None:
    browser = Browser(other_app(PUBLIC_URL="https://192.0.2.1"))
    browser.sign_in("ann", PASSWORD)
    assert not is_offered(browser)


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_part_of_a_page_does_not_use_it_up(ann_browser: Browser) -> None:
    ann_browser.get("/tasks", headers={"HX-Request": "true"})
    assert is_offered(ann_browser)
