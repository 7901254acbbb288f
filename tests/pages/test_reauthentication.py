"""Reauthentication before sensitive operations, 15 minutes after the sign-in."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask

from app.models import Factor, OneTimeLink, Session, Token, User
from app.services.access import page_sessions
from app.services.accounts import accounts
from app.services.authentication import credentials
from app.services.shared.actor import SYSTEM, Actor
from tests.conftest import PASSWORD
from tests.support.answers import slug_of
from tests.support.clients import SESSION_COOKIE, Api, Browser
from tests.support.rows import add_factor, age, events, rows, set_values

PAGE = "/auth/reauthenticate"
PROOF = {"current_password": PASSWORD}
NEEDED = (403, "reauthentication-required")


def pass_time(app: Flask, minutes: int = 16) -> None:
    with app.app_context():
        for column in ("created_at", "proved_at"):
            age(Session, column, timedelta(minutes=minutes))
        age(Token, "signed_in_at", timedelta(minutes=minutes))


ACTS = ["promote", "deactivate", "reset-factors", "delete"]


@pytest.mark.parametrize("act", ACTS)
def test_page_asks_an_admin_once_more_and_leads_back(
    app: Flask, root_browser: Browser, ann: Actor, act: str
) -> None:
    with app.app_context():
        add_factor(ann.id)
    pass_time(app)
    page, before = f"/admin/users/{ann.id}", account(app, ann)
    root_browser.get(page)
    referrer = {"Referer": f"http://localhost{page}"}
    answer = root_browser.post(f"{page}/{act}", headers=referrer)
    assert (answer.status_code, answer.location) == (303, f"{PAGE}?next={page}")
    assert account(app, ann) == before
    back = root_browser.post(answer.location, PROOF, form=answer.location)
    assert (back.status_code, back.location) == (303, page)
    assert root_browser.post(f"{page}/{act}", form=page).status_code == 303
    assert account(app, ann) != before


def account(app: Flask, actor: Actor) -> object:
    with app.app_context():
        return rows(User, id=actor.id), rows(Factor, user_id=actor.id)


def test_link_that_sets_a_password_is_shown_to_a_fresh_session_alone(
    app: Flask, root_browser: Browser, root: Actor
) -> None:
    """Else an abandoned session could set a new password for the admin."""
    pass_time(app)
    page = f"/admin/users/{root.id}"
    answer = root_browser.post(f"{page}/reset-link", form=page)
    assert (answer.status_code, "/auth/reset/" in answer.text) == (303, False)
    with app.app_context():
        assert rows(OneTimeLink) == []
    root_browser.post(PAGE, PROOF, form=PAGE)
    assert "/auth/reset/" in root_browser.post(f"{page}/reset-link", form=page).text


def test_old_sign_in_makes_no_token(app: Flask, root_browser: Browser, root_api: Api) -> None:
    """Tokens cannot reauthenticate."""
    pass_time(app)
    made = {"name": "x", "scopes": ["admin"]}
    assert slug_of(root_api.post("/tokens", made)) == NEEDED
    answer = root_browser.post("/settings/tokens", made, form="/settings/tokens")
    assert (answer.status_code, answer.location.partition("?")[0]) == (303, PAGE)
    plain = {"name": "x", "scopes": ["tasks:read"]}
    assert slug_of(root_api.post("/tokens", plain)) == NEEDED
    root_browser.post(PAGE, PROOF, form=PAGE)
    answer = root_browser.post("/settings/tokens", made, form="/settings/tokens")
    assert answer.status_code == 200


def test_page_that_only_asks_before_is_led_back_to(
    app: Flask, root_browser: Browser, ann: Actor
) -> None:
    pass_time(app)
    page = f"/admin/users/{ann.id}/delete"
    assert root_browser.get(page).location == f"{PAGE}?next={page}"


def test_who_asks_by_htmx_is_led_by_the_whole_page(
    app: Flask, root_browser: Browser, ann: Actor
) -> None:
    pass_time(app)
    page = f"/admin/users/{ann.id}/delete"
    answer = root_browser.get(page, headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (403, f"{PAGE}?next={page}")


def test_referrer_of_another_host_is_not_led_to(
    app: Flask, root_browser: Browser, ann: Actor
) -> None:
    pass_time(app)
    act = f"/admin/users/{ann.id}/promote"
    root_browser.get("/admin/users")
    answer = root_browser.post(act, headers={"Referer": "https://evil.example/x"})
    assert answer.location == PAGE


def test_wrong_password_proves_nothing(app: Flask, root_browser: Browser, ann: Actor) -> None:
    pass_time(app)
    answer = root_browser.post(PAGE, {"current_password": "wrong"}, form=PAGE)
    assert answer.status_code == 422
    assert root_browser.get(f"/admin/users/{ann.id}/delete").status_code == 302


def test_proof_renews_the_secret_of_the_session(app: Flask, ann_browser: Browser) -> None:
    before = ann_browser.client.get_cookie(SESSION_COOKIE)
    assert ann_browser.post(PAGE, PROOF, form=PAGE).location == "/"
    assert ann_browser.get("/tasks").status_code == 200
    assert before is not None
    ann_browser.client.set_cookie(SESSION_COOKIE, before.value)
    assert ann_browser.get("/tasks").status_code == 302
    with app.app_context():
        assert len(events("session.proved")) == 1


def test_fresh_session_is_not_asked(root_browser: Browser, ann: Actor) -> None:
    page = f"/admin/users/{ann.id}"
    assert root_browser.post(f"{page}/promote", form=page).location == page


@pytest.mark.parametrize(
    "changes", [{"role": "admin"}, {"is_active": False}, {"email": "new@example.com"}]
)
def test_old_token_changes_no_rights(
    app: Flask, root_api: Api, ann: Actor, changes: dict[str, object]
) -> None:
    pass_time(app)
    assert slug_of(root_api.patch(f"/users/{ann.id}", changes)) == NEEDED
    assert slug_of(root_api.delete(f"/users/{ann.id}")) == NEEDED
    assert slug_of(root_api.delete(f"/users/{ann.id}/factors")) == NEEDED
    assert root_api.patch(f"/users/{ann.id}", {"username": "anna"}).status_code == 200


@pytest.mark.parametrize("act", ["reauthenticate", "login"])
def test_session_that_is_ended_meanwhile_is_said_to_be(
    ann_browser: Browser, ann: Actor, monkeypatch: pytest.MonkeyPatch, act: str
) -> None:
    """Another request ends the session after the secret is made and before the cookie is set."""
    for name in ("start", "renew"):
        made = getattr(page_sessions, name)

        def lost(*args: object, made: Callable[..., str] = made, **options: object) -> str:
            secret = made(*args, **options)
            credentials.end_all(ann.id)
            return secret

        monkeypatch.setattr(page_sessions, name, lost)
    if act == "login":
        assert ann_browser.post("/auth/logout", form=PAGE).status_code == 303
        assert ann_browser.sign_in("ann", PASSWORD).status_code == 401
    else:
        assert ann_browser.post(PAGE, PROOF, form=PAGE).status_code == 401
    assert ann_browser.get("/settings/profile").status_code == 302


def test_refreshing_a_token_makes_no_sign_in_of_it(
    app: Flask, api: Api, root: Actor, ann: Actor
) -> None:
    pair = api.post("/auth/login", {"identifier": "root", "password": PASSWORD}).get_json()
    pass_time(app)
    newer = api.post("/auth/refresh", {"refresh_token": pair["refresh_token"]}).get_json()
    answer = Api(app, newer["access_token"]).patch(f"/users/{ann.id}", {"role": "admin"})
    assert slug_of(answer) == NEEDED


def test_personal_token_and_command_are_not_asked(
    app: Flask, root_api: Api, ann: Actor, bob: Actor
) -> None:
    made = root_api.post("/tokens", {"name": "x", "scopes": ["admin"]}).get_json()
    personal = Api(app, made["token"])
    assert personal.patch(f"/users/{ann.id}", {"role": "admin"}).status_code == 200
    with app.app_context():
        assert accounts.update(SYSTEM, bob.id, {"role": "admin"}).role == "admin"


@pytest.mark.parametrize("path", ["/settings/password", "/settings/two-factor/totp"])
def test_account_without_a_password_proves_itself_by_a_recent_login(
    app: Flask, ann: Actor, ann_browser: Browser, path: str
) -> None:
    with app.app_context():
        set_values(User, ann.id, password_hash="")
    fields = {"password": "eleven apples in a bowl"}
    assert 'name="current_password"' not in ann_browser.get(path).text
    pass_time(app)
    answer = ann_browser.post(path, fields, form=path)
    assert (answer.status_code, answer.location) == (303, PAGE)
    assert "Sign out, then sign in again" in ann_browser.get(PAGE).text


def test_account_without_a_password_sets_one_and_goes(
    app: Flask, ann: Actor, ann_browser: Browser
) -> None:
    with app.app_context():
        set_values(User, ann.id, password_hash="")
    answer = ann_browser.post("/settings/data/delete", {"username": "ann"}, form="/settings/data")
    assert (answer.status_code, answer.location) == (303, "/")
