"""The search for secrets in logs (tests/support/leaks.py) finds secrets and nothing else."""

import logging

import pytest
from flask import Flask

from app.services.authentication import secret_tokens
from app.services.users import passwords
from tests.conftest import PASSWORD
from tests.support import leaks
from tests.support.clients import SESSION_COOKIE, Api, Browser


def test_secrets_are_found(browser: Browser) -> None:
    browser.get("/auth/login")
    cookie = browser.client.get_cookie(SESSION_COOKIE)
    assert cookie is not None
    secrets = (PASSWORD, secret_tokens.make(), cookie.value, browser.csrf_token)
    hashed = passwords.hash_(PASSWORD)
    for secret in (*secrets, hashed, "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"):
        assert leaks.found([f'{{"message": "it is {secret}."}}']) != [], secret


def test_what_a_list_may_show_of_a_token_is_let_pass() -> None:
    shown = secret_tokens.make()[: secret_tokens.SHOWN]
    assert (
        leaks.found([f"revoked {shown}", "GET /auth/reset/<token> 200", "POST /auth/login"]) == []
    )


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_each_request_and_each_error_of_a_run_is_kept(app: Flask, api: Api) -> None:
    before = len(leaks.lines)
    api.get("/tasks", headers={"X-Request-ID": "of-this-test"})
    logging.getLogger("service.error").error("in flight")
    kept = leaks.lines[before:]
    assert any("of-this-test" in line for line in kept)
    assert any("in flight" in line for line in kept)


def test_passwords_that_clients_send_are_known(api: Api, browser: Browser) -> None:
    api.post("/auth/login", {"identifier": "ann", "password": "three figs and a nut"})
    browser.sign_in("ann", "four dates and a fig")
    assert {"three figs and a nut", "four dates and a fig"} <= leaks.passwords
