"""Personal tokens need a recent sign-in, expire, and give notices by mail."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from app.models import OutboxEntry, Session, Token
from app.models.types import now
from app.services.shared.actor import Actor
from tests.conftest import MakeApp, MakePerson, signed_in_api, signed_in_browser
from tests.support.answers import blamed, slug_of
from tests.support.clients import Api, Browser
from tests.support.mailbox import Mailbox, text
from tests.support.rows import age, prove_address, rows, set_values

NEW = {"name": "Backup", "scopes": ["tasks:read", "profile:write"]}
LATE = timedelta(minutes=15)


def from_now(**by: float) -> str:
    return (datetime.now(UTC) + timedelta(**by)).isoformat()


def days_left(answer: Any) -> float:
    ends = datetime.fromisoformat(answer.get_json()["expires_at"])
    return round((ends - now()) / timedelta(days=1), 1)


def test_late_token_of_a_sign_in_makes_none(app: Flask, ann_api: Api) -> None:
    with app.app_context():
        age(Token, "signed_in_at", LATE)
    assert slug_of(ann_api.post("/tokens", NEW)) == (403, "reauthentication-required")


def test_personal_token_makes_none(app: Flask, ann_api: Api) -> None:
    made = Api(app, ann_api.post("/tokens", NEW).get_json()["token"])
    assert slug_of(made.post("/tokens", NEW)) == (403, "reauthentication-required")


def test_late_page_session_is_asked_for_a_proof(app: Flask, ann_browser: Browser) -> None:
    with app.app_context():
        age(Session, "created_at", LATE)
    fields = {"name": "Backup", "scopes": "tasks:read"}
    answer = ann_browser.post("/settings/tokens", fields, form="/settings/tokens")
    assert answer.location.startswith("/auth/reauthenticate")
    with app.app_context():
        assert rows(Token) == []


@pytest.mark.parametrize("more", [{}, {"expires_at": None}])
def test_token_ends_after_ninety_days_by_itself(ann_api: Api, more: dict[str, Any]) -> None:
    assert days_left(ann_api.post("/tokens", {**NEW, **more})) == 90


def test_token_lives_a_year_at_the_most(ann_api: Api) -> None:
    assert days_left(ann_api.post("/tokens", {**NEW, "expires_at": from_now(days=365)})) == 365
    answer = ann_api.post("/tokens", {**NEW, "expires_at": from_now(days=366)})
    assert (slug_of(answer), blamed(answer)) == ((422, "invalid"), ["/expires_at"])


def test_longest_life_is_a_setting(other_app: MakeApp, ann: Actor) -> None:
    api = signed_in_api(other_app(PERSONAL_TOKEN_MAX_DAYS="30"), ann)
    assert days_left(api.post("/tokens", NEW)) == 30
    assert api.post("/tokens", {**NEW, "expires_at": from_now(days=31)}).status_code == 422


def test_token_without_an_end_takes_a_setting(other_app: MakeApp, ann: Actor) -> None:
    api = signed_in_api(other_app(PERSONAL_TOKEN_MAX_DAYS="0"), ann)
    assert api.post("/tokens", {**NEW, "expires_at": None}).get_json()["expires_at"] is None
    assert days_left(api.post("/tokens", {**NEW, "expires_at": from_now(days=3000)})) == 3000


def test_command_gives_ninety_days_too(app: Flask, ann: Actor) -> None:
    arguments = ["tokens", "create", "ann", "--name", "CI", "--scope", "tasks:read"]
    done = app.test_cli_runner().invoke(args=arguments)
    assert done.exit_code == 0
    assert app.test_cli_runner().invoke(args=[*arguments, "--days", "366"]).exit_code != 0
    with app.app_context():
        (token,) = rows(Token)
    assert round((token.expires_at - now()) / timedelta(days=1)) == 90


def test_page_gives_ninety_days_where_none_are_named(app: Flask, ann_browser: Browser) -> None:
    fields = {"name": "Backup", "scopes": "tasks:read", "days": ""}
    ann_browser.post("/settings/tokens", fields, form="/settings/tokens")
    with app.app_context():
        (token,) = rows(Token)
    assert round((token.expires_at - now()) / timedelta(days=1)) == 90


def test_page_refuses_more_than_a_year(app: Flask, ann_browser: Browser) -> None:
    fields = {"name": "Backup", "scopes": "tasks:read", "days": "366"}
    answer = ann_browser.post("/settings/tokens", fields, form="/settings/tokens")
    assert (answer.status_code, 'id="error-days"' in answer.text) == (422, True)


def test_new_token_is_told_by_mail(app: Flask, mailbox: Mailbox, ann: Actor, ann_api: Api) -> None:
    prove_address(app, ann)
    mailbox.receive()
    made = ann_api.post("/tokens", NEW).get_json()
    (mail,) = mailbox.receive()
    assert mail["To"] == "ann@example.com"
    assert "A personal token was created" in text(mail)
    for word in ("Backup", "tasks:read", "profile:write"):
        assert word in text(mail)
    assert made["token"] not in text(mail)


def warn(app: Flask) -> None:
    """Make the warning of expiry due."""
    with app.app_context():
        (entry,) = rows(OutboxEntry, name="token_ending")
        set_values(OutboxEntry, entry.id, run_at=now())


def test_mail_warns_a_week_before_the_end(
    app: Flask, mailbox: Mailbox, ann: Actor, ann_api: Api
) -> None:
    prove_address(app, ann)
    ann_api.post("/tokens", {**NEW, "expires_at": from_now(days=30)})
    mailbox.receive()
    assert mailbox.receive() == []
    with app.app_context():
        (entry,) = rows(OutboxEntry, name="token_ending")
    assert round((entry.run_at - now()) / timedelta(days=1)) == 23
    warn(app)
    (mail,) = mailbox.receive()
    assert ("ends in a week" in text(mail), "Backup" in text(mail)) == (True, True)
    assert "By:" not in text(mail)


def test_nobody_is_warned_of_a_token_that_is_gone(
    app: Flask, mailbox: Mailbox, ann: Actor, ann_api: Api
) -> None:
    prove_address(app, ann)
    made = ann_api.post("/tokens", NEW).get_json()
    ann_api.delete(f"/tokens/{made['id']}")
    mailbox.receive()
    warn(app)
    assert mailbox.receive() == []


def test_nobody_is_warned_of_a_token_of_a_few_days(
    app: Flask, mailbox: Mailbox, ann: Actor, ann_api: Api
) -> None:
    prove_address(app, ann)
    ann_api.post("/tokens", {**NEW, "expires_at": from_now(days=7)})
    with app.app_context():
        assert rows(OutboxEntry, name="token_ending") == []


@pytest.mark.parametrize(("fields", "status"), [({}, 200), ({"tokens": "y"}, 401)])
def test_signing_out_everywhere_ends_the_tokens_where_one_says_so(
    app: Flask, ann: Actor, ann_api: Api, fields: dict[str, str], status: int
) -> None:
    program = Api(app, ann_api.post("/tokens", NEW).get_json()["token"])
    browser = signed_in_browser(app, ann)
    assert 'name="tokens"' in browser.get("/settings/sessions").text
    answer = browser.post("/settings/sessions/end-others", fields, form="/settings/sessions")
    assert answer.status_code == 303
    assert program.get("/tasks").status_code == status
    assert ann_api.get("/tasks").status_code == 401


def test_tokens_of_others_stay(app: Flask, ann: Actor, make_person: MakePerson) -> None:
    bobs = signed_in_api(app, make_person("bob")).post("/tokens", NEW).get_json()["token"]
    browser = signed_in_browser(app, ann)
    browser.post("/settings/sessions/end-others", {"tokens": "y"}, form="/settings/sessions")
    assert Api(app, bobs).get("/tasks").status_code == 200
