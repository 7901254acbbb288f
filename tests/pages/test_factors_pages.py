"""The settings of second factors on the pages."""

import re

import pytest
from flask import Flask

from app.models import Factor, RecoveryCode, Session
from app.services.shared.actor import Actor
from tests.conftest import PASSWORD, signed_in_browser
from tests.support.clients import SESSION_COOKIE, Browser
from tests.support.factors import Phone, hold_clock
from tests.support.rows import rows

PAGE = "/settings/two-factor"
PROOF = {"current_password": PASSWORD}


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    hold_clock(monkeypatch)


def begin(browser: Browser) -> Phone:
    text = browser.post(f"{PAGE}/totp", PROOF, form=f"{PAGE}/totp").text
    found = re.search(r"into the app: <code>([A-Z2-7 ]+)</code>", text)
    assert found
    return Phone(found[1].replace(" ", ""), [])


def set_up(browser: Browser) -> Phone:
    phone = begin(browser)
    text = browser.post(f"{PAGE}/totp/confirm", {"otp": phone.code(-1)}).text
    phone.recovery_codes = re.findall(r"<li><code>([a-z2-7-]+)</code>", text)
    return phone


def test_sets_up_an_app_and_shows_the_codes_once(ann_browser: Browser) -> None:
    phone = set_up(ann_browser)
    assert len(phone.recovery_codes) == 10
    text = ann_browser.get(PAGE).text
    assert "Authenticator app" in text
    assert "10 left" in text
    assert phone.recovery_codes[0] not in text


def test_secret_is_drawn_without_inline_style(ann_browser: Browser) -> None:
    text = ann_browser.post(f"{PAGE}/totp", PROOF, form=f"{PAGE}/totp").text
    assert "<svg width=" in text
    assert "style=" not in text
    assert "<script>" not in text


def test_wrong_code_shows_the_secret_again(ann_browser: Browser) -> None:
    phone = begin(ann_browser)
    answer = ann_browser.post(f"{PAGE}/totp/confirm", {"otp": "000000"})
    assert answer.status_code == 422
    assert phone.app.secret[:4] in answer.text
    assert ann_browser.post(f"{PAGE}/totp/confirm", {"otp": ""}).status_code == 422
    assert ann_browser.post(f"{PAGE}/totp/confirm", {"otp": phone.code()}).status_code == 200


def test_confirming_nothing_leads_to_the_beginning(ann_browser: Browser) -> None:
    answer = ann_browser.post(f"{PAGE}/totp/confirm", {"otp": "000000"}, form=PAGE)
    assert (answer.status_code, answer.location) == (303, f"{PAGE}/totp")


@pytest.mark.parametrize("path", ["totp", "recovery-codes", "{}/remove"])
@pytest.mark.parametrize("password", ["", "wrong"])
def test_nothing_changes_without_the_password(
    app: Flask, ann_browser: Browser, path: str, password: str
) -> None:
    set_up(ann_browser)
    with app.app_context():
        before = rows(Factor), rows(RecoveryCode)
    address = f"{PAGE}/{path.format(before[0][0].id)}"
    answer = ann_browser.post(address, {"current_password": password}, form=address)
    assert answer.status_code == 422
    assert 'id="error-current_password"' in answer.text
    with app.app_context():
        assert (rows(Factor), rows(RecoveryCode)) == before


def test_session_gets_another_secret_and_the_others_end(
    app: Flask, ann: Actor, ann_browser: Browser
) -> None:
    """A copy of the earlier cookie no longer works."""
    other = signed_in_browser(app, ann)
    before = ann_browser.client.get_cookie(SESSION_COOKIE)
    set_up(ann_browser)
    assert ann_browser.get("/tasks").status_code == 200
    assert other.get("/tasks").status_code == 302
    assert before is not None
    ann_browser.client.set_cookie(SESSION_COOKIE, before.value)
    assert ann_browser.get("/tasks").status_code == 302
    with app.app_context():
        assert len(rows(Session)) == 1


def test_page_with_the_codes_has_forms_that_work(ann_browser: Browser) -> None:
    set_up(ann_browser)
    assert ann_browser.post("/auth/logout").status_code == 303


def test_new_codes_are_shown(ann_browser: Browser) -> None:
    phone = set_up(ann_browser)
    text = ann_browser.post(f"{PAGE}/recovery-codes", PROOF, form=f"{PAGE}/recovery-codes").text
    assert len(re.findall(r"<li><code>", text)) == 10
    assert phone.recovery_codes[0] not in text


def test_factor_is_removed(app: Flask, ann_browser: Browser) -> None:
    set_up(ann_browser)
    with app.app_context():
        (factor,) = rows(Factor)
    address = f"{PAGE}/{factor.id}/remove"
    assert ann_browser.post(address, PROOF, form=address).location == PAGE
    assert "password alone" in ann_browser.get(PAGE).text


def test_strangers_factor_is_not_there(
    app: Flask, ann_browser: Browser, bob_browser: Browser
) -> None:
    set_up(ann_browser)
    with app.app_context():
        (factor,) = rows(Factor)
    assert bob_browser.get(f"{PAGE}/{factor.id}/remove").status_code == 404
    assert bob_browser.post(f"{PAGE}/{factor.id}/remove", PROOF, form=PAGE).status_code == 404
