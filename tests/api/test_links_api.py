"""Forgotten passwords, confirmations and invitations by the API."""

from typing import Any

import pytest
from flask import Flask

from app.models import AuditEvent, OneTimeLink, OutboxEntry, Session, Token, User
from app.models.one_time_link import LIFE
from app.services.shared.actor import Actor
from tests.conftest import PASSWORD, signed_in_api, signed_in_browser
from tests.support.answers import blamed, slug_of
from tests.support.clients import Api, Browser
from tests.support.mailbox import Mailbox, text
from tests.support.rows import age, events, rows

NEW_PASSWORD = "nine apples, no pear"
DAN = {"username": "dan", "email": "dan@example.com"}


def forgot(api: Api, email: str) -> Any:
    return api.post("/auth/forgot", {"email": email})


def reset(api: Api, token: str, password: str = NEW_PASSWORD) -> Any:
    return api.post("/auth/reset", {"token": token, "password": password})


@pytest.fixture
def token(mailbox: Mailbox, api: Api, ann: Actor) -> str:
    """The token of a link that sets Ann's password."""
    mailbox.receive()
    assert forgot(api, "ann@example.com").status_code == 202
    return mailbox.secret("reset")


def test_token_of_the_mail_sets_a_password_once(api: Api, token: str) -> None:
    assert reset(api, token).status_code == 204
    assert slug_of(reset(api, token)) == (400, "void-link")
    signed_in = api.post("/auth/login", {"identifier": "ann", "password": NEW_PASSWORD})
    assert signed_in.status_code == 200


def test_answer_is_the_same_for_an_unknown_account(
    app: Flask, mailbox: Mailbox, api: Api, ann: Actor
) -> None:
    mailbox.receive()
    known, unknown = (forgot(api, email) for email in ("ann@example.com", "nobody@example.com"))
    assert (known.status_code, known.data) == (unknown.status_code, unknown.data) == (202, b"")
    assert set(known.headers.keys()) == set(unknown.headers.keys())
    assert [mail["To"] for mail in mailbox.receive()] == ["ann@example.com"]
    with app.app_context():
        asked = events("user.reset_requested")
        assert [event.target_id for event in asked] == [ann.id, None]
        assert {entry.status for entry in rows(OutboxEntry)} == {"done"}


def test_reset_ends_every_session_and_token_and_is_told_by_mail(
    app: Flask, mailbox: Mailbox, api: Api, ann: Actor, token: str
) -> None:
    browsers = [signed_in_browser(app, ann) for _ in range(2)]
    clients = [signed_in_api(app, ann) for _ in range(2)]
    clients[0].post("/users/me/confirmation")
    confirming = mailbox.secret("confirm")
    reset(api, token)
    assert {client.get("/users/me").status_code for client in clients} == {401}
    assert {browser.get("/settings/profile").status_code for browser in browsers} == {302}
    assert slug_of(api.post("/auth/confirm", {"token": confirming})) == (400, "void-link")
    with app.app_context():
        assert rows(Token) == rows(Session) == []
    (notice,) = mailbox.receive()
    assert "The password was changed" in text(notice)


def test_changed_password_leaves_only_who_changed_it(
    app: Flask, mailbox: Mailbox, ann: Actor, ann_api: Api, token: str
) -> None:
    other, browser = signed_in_api(app, ann), signed_in_browser(app, ann)
    changes = {"password": NEW_PASSWORD, "current_password": PASSWORD}
    assert ann_api.patch("/users/me", changes).status_code == 200
    assert ann_api.get("/users/me").status_code == 200
    assert other.get("/users/me").status_code == 401
    assert browser.get("/settings/profile").status_code == 302
    assert slug_of(reset(ann_api, token)) == (400, "void-link")


def test_link_is_void_after_a_day(app: Flask, api: Api, token: str) -> None:
    with app.app_context():
        age(OneTimeLink, "expires_at", LIFE["reset"])
    assert slug_of(reset(api, token)) == (400, "void-link")


def test_link_is_void_after_a_new_address(
    mailbox: Mailbox, api: Api, ann_api: Api, token: str
) -> None:
    change_email(ann_api, "new@example.com")
    assert confirm(ann_api, mailbox.secret("confirm")).status_code == 204
    assert slug_of(reset(api, token)) == (400, "void-link")


@pytest.mark.parametrize("other", ["", "fst_", "x" * 53, "fst_" + "0" * 49])
def test_any_other_token_is_void(api: Api, ann: Actor, other: str) -> None:
    assert slug_of(reset(api, other)) == (400, "void-link")
    assert slug_of(confirm(api, other)) == (400, "void-link")


def test_token_of_one_purpose_is_good_for_no_other(
    mailbox: Mailbox, api: Api, ann: Actor, token: str, ann_api: Api
) -> None:
    ann_api.post("/users/me/confirmation")
    confirming = mailbox.secret("confirm")
    assert slug_of(reset(api, confirming)) == (400, "void-link")
    assert slug_of(confirm(ann_api, token)) == (400, "void-link")
    assert Api(api.client.application, token).get("/users/me").status_code == 401
    assert confirm(ann_api, confirming).status_code == 204


def test_weak_password_leaves_the_link_good(api: Api, token: str) -> None:
    assert blamed(reset(api, token, "password")) == ["/password"]
    assert reset(api, token).status_code == 204


def test_without_mail_nothing_can_be_asked_for(ann_api: Api, root_api: Api) -> None:
    assert slug_of(forgot(ann_api, "ann@example.com")) == (403, "no-mail")
    assert slug_of(ann_api.post("/users/me/confirmation")) == (403, "no-mail")
    assert slug_of(root_api.post("/users/invitations", DAN)) == (403, "no-mail")


def change_email(api: Api, email: str) -> Any:
    return api.patch("/users/me", {"email": email, "current_password": PASSWORD})


def confirm(api: Api, token: str) -> Any:
    return api.post("/auth/confirm", {"token": token})


def test_account_is_verified_by_the_link_that_registering_mails(
    mailbox: Mailbox, api: Api, ann_api: Api
) -> None:
    assert ann_api.get("/users/me").get_json()["email_verified"] is False
    assert confirm(ann_api, mailbox.secret("confirm")).status_code == 204
    assert ann_api.get("/users/me").get_json()["email_verified"] is True
    assert slug_of(ann_api.post("/users/me/confirmation")) == (409, "conflict")


def test_new_email_counts_once_it_is_confirmed(
    app: Flask, mailbox: Mailbox, api: Api, ann_api: Api
) -> None:
    mailbox.receive()
    answer = change_email(ann_api, "new@example.com")
    assert (answer.status_code, answer.get_json()["email"]) == (200, "ann@example.com")
    assert confirm(ann_api, mailbox.secret("confirm")).status_code == 204
    mine = ann_api.get("/users/me").get_json()
    assert (mine["email"], mine["email_verified"]) == ("new@example.com", True)
    (notice,) = mailbox.receive()
    assert (notice["To"], "The email address was changed" in text(notice)) == (
        "ann@example.com",
        True,
    )
    with app.app_context():
        (asked,) = events("user.confirmation_requested")
        assert asked.changes == {"email": ["ann@example.com", "new@example.com"]}


def test_without_mail_a_new_email_counts_at_once(ann_api: Api) -> None:
    assert change_email(ann_api, "new@example.com").get_json()["email"] == "new@example.com"


def test_username_is_changed_at_once_beside_the_email(mailbox: Mailbox, ann_api: Api) -> None:
    changes = {"username": "anna", "email": "new@example.com", "current_password": PASSWORD}
    mine = ann_api.patch("/users/me", changes).get_json()
    assert (mine["username"], mine["email"]) == ("anna", "ann@example.com")


@pytest.mark.parametrize(
    ("email", "status"), [("BOB@example.com", 409), ("nowhere", 422), ("ANN@example.com", 200)]
)
def test_email_of_another_is_refused_when_it_is_asked_for(
    mailbox: Mailbox, ann_api: Api, bob: Actor, email: str, status: int
) -> None:
    answer = change_email(ann_api, email)
    assert answer.status_code == status
    if status != 200:
        assert "email" in str(answer.get_json())


def test_email_that_was_taken_since_is_a_conflict(mailbox: Mailbox, api: Api, ann_api: Api) -> None:
    mailbox.receive()
    change_email(ann_api, "new@example.com")
    token = mailbox.secret("confirm")
    taken = {"username": "carl", "email": "NEW@example.com", "password": PASSWORD}
    assert api.post("/users", taken).status_code == 201
    assert slug_of(confirm(ann_api, token)) == (409, "conflict")
    assert ann_api.get("/users/me").get_json()["email"] == "ann@example.com"


def test_guest_sets_the_password_and_no_admin_ever_does(
    app: Flask, mailbox: Mailbox, api: Api, root_api: Api, root: Actor
) -> None:
    mailbox.receive()
    answer = root_api.post("/users/invitations", {**DAN, "role": "admin"})
    made = answer.get_json()
    assert answer.headers["Location"] == f"/api/v1/users/{made['id']}"
    assert (made["role"], made["email_verified"]) == ("admin", False)
    assert "fst_" not in answer.text
    assert reset(api, mailbox.secret("invite")).status_code == 204
    pair = api.post("/auth/login", {"identifier": "dan", "password": NEW_PASSWORD}).get_json()
    assert Api(app, pair["access_token"]).get("/users/me").get_json()["email_verified"] is True
    with app.app_context():
        told = [(e.action, e.actor_id) for e in events() if e.target_id == made["id"]]
    assert told[:2] == [("user.created", root.id), ("user.invited", root.id)]


@pytest.mark.parametrize("field", ["password", "is_active", "email_verified", "id"])
def test_invitation_takes_no_password_and_nothing_else(
    mailbox: Mailbox, root_api: Api, field: str
) -> None:
    answer = root_api.post("/users/invitations", {**DAN, field: PASSWORD})
    assert blamed(answer) == [f"/{field}"]


def test_invitation_is_mailed_again_until_it_is_accepted(
    mailbox: Mailbox, api: Api, root_api: Api
) -> None:
    mailbox.receive()
    path = root_api.post("/users/invitations", DAN).headers["Location"]
    older = mailbox.secret("invite")
    assert root_api.post(f"{path}/invitation").status_code == 202
    newer = mailbox.secret("invite")
    assert slug_of(reset(api, older)) == (400, "void-link")
    assert reset(api, newer).status_code == 204
    assert slug_of(root_api.post(f"{path}/invitation")) == (409, "conflict")


def test_guest_who_forgets_the_invitation_gets_in_by_a_reset(
    mailbox: Mailbox, api: Api, root_api: Api
) -> None:
    root_api.post("/users/invitations", DAN)
    mailbox.receive()
    forgot(api, "dan@example.com")
    assert reset(api, mailbox.secret("reset")).status_code == 204


def test_taken_name_invites_nobody(app: Flask, mailbox: Mailbox, root_api: Api, ann: Actor) -> None:
    mailbox.receive()
    answer = root_api.post("/users/invitations", {**DAN, "username": "ANN"})
    assert (slug_of(answer), "username" in answer.text) == ((409, "conflict"), True)
    assert mailbox.receive() == []


def test_trail_and_export_hold_no_secret(
    app: Flask, mailbox: Mailbox, api: Api, ann_api: Api, token: str, browser: Browser
) -> None:
    exported = ann_api.get("/users/me/export").text
    reset(api, token)
    with app.app_context():
        kept = str([rows(model) for model in (AuditEvent, OutboxEntry, User)])
    for secret in (token, "fst_", NEW_PASSWORD, PASSWORD):
        assert secret not in kept
    assert token not in exported
