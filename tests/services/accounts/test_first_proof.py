"""A new owner of an address inherits nothing (account pre-hijacking, Sudhodanan 2022).

Ann's account represents one that a stranger registered with the later owner's address: the
stranger knows the password, only the owner reads the mails.
"""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from app.errors import EmailUnconfirmed
from app.models import (
    Factor,
    LinkedAccount,
    OneTimeLink,
    RecoveryCode,
    Session,
    Token,
    User,
    Webhook,
)
from app.models.types import now
from app.services.access import personal_tokens, token_pairs
from app.services.accounts import password_reset
from app.services.factors import passkeys, webauthn_messages
from app.services.openid import linked_accounts
from app.services.openid.person import Person
from app.services.shared import audit
from app.services.shared.actor import SYSTEM, Actor
from app.services.users import users
from app.services.webhooks import webhooks
from app.sql import atomic
from tests.conftest import PASSWORD, signed_in_api, signed_in_browser
from tests.support.answers import slug_of
from tests.support.authenticator import Authenticator
from tests.support.clients import Api, Browser
from tests.support.factors import Phone, hold_clock, phone_of
from tests.support.mailbox import Mailbox, mail_to, text
from tests.support.rows import age, rows, set_values

NEW_PASSWORD = "nine apples, no pear"
PERSON = Person(
    issuer="https://id.example",
    subject="1",
    email="ann@example.com",
    email_verified=True,
    username="ann",
)
LASTING = (Factor, RecoveryCode, LinkedAccount, Webhook)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    hold_clock(monkeypatch)


def add_passkey(actor: Actor) -> None:
    asked = webauthn_messages.Challenge(webauthn_messages.encoded(bytes(32)), now())
    made = Authenticator("localhost", "http://localhost:8000").make(asked)
    passkeys.add(actor, "Laptop", made, asked)


def signed_in_by_code(app: Flask, phone: Phone) -> Api:
    """Return Ann's client after a sign-in by a recovery code."""
    with app.app_context():
        pair = token_pairs.sign_in(Actor(), "ann", PASSWORD, phone.recovery_codes.pop())
    return Api(app, pair.access_token)


@pytest.fixture
def prepared(app: Flask, ann: Actor) -> Phone:
    """Add every lasting credential to Ann's account before mail is set up."""
    with mail_to(app, ""):
        phone = phone_of(app, ann)
        with app.app_context():
            add_passkey(ann)
            linked_accounts.link(ann, PERSON)
            webhooks.create(ann, "https://9.9.9.9/hook", ["task.created"])
            personal_tokens.create(SYSTEM, users.get(ann, ann.id), "Backup", ["tasks:read"])
    return phone


def left(app: Flask) -> list[str]:
    """Return the kinds of records that remain of the account."""
    with app.app_context():
        return [model.__name__ for model in (*LASTING, Token, Session) if rows(model)]


def confirm(api: Api, token: str, **more: str) -> Any:
    return api.post("/auth/confirm", {"token": token, **more})


def reset_by_mail(api: Api, mailbox: Mailbox) -> Any:
    api.post("/auth/forgot", {"email": "ann@example.com"})
    token = mailbox.secret("reset")
    return api.post("/auth/reset", {"token": token, "password": NEW_PASSWORD})


def test_link_alone_confirms_nothing(app: Flask, mailbox: Mailbox, api: Api, ann: Actor) -> None:
    token = mailbox.secret("confirm")
    assert slug_of(confirm(api, token)) == (401, "unauthorized")
    assert slug_of(confirm(api, token, password="no plums")) == (401, "bad-credentials")
    with app.app_context():
        assert rows(User)[0].email_verified is False


def test_link_confirms_with_the_session_or_the_password(
    app: Flask, mailbox: Mailbox, api: Api, ann: Actor, bob: Actor
) -> None:
    tokens = {}
    for mail in mailbox.receive():
        tokens[mail["To"]] = text(mail).partition("/auth/confirm/")[2].split()[0]
    assert slug_of(confirm(signed_in_api(app, ann), tokens["bob@example.com"])) == (
        403,
        "forbidden",
    )
    assert confirm(signed_in_api(app, ann), tokens["ann@example.com"]).status_code == 204
    assert confirm(api, tokens["bob@example.com"], password=PASSWORD).status_code == 204
    with app.app_context():
        assert {user.email_verified for user in rows(User)} == {True}


def test_token_that_may_not_change_the_account_confirms_nothing(
    app: Flask, mailbox: Mailbox, api: Api, ann: Actor
) -> None:
    with app.app_context():
        user = users.get(ann, ann.id)
        _, narrow = personal_tokens.create(SYSTEM, user, "Reads", ["tasks:read"])
    token = mailbox.secret("confirm")
    assert slug_of(confirm(Api(app, narrow), token)) == (403, "insufficient-scope")
    assert slug_of(confirm(Api(app, "fst_" + "x" * 49), token)) == (401, "invalid-token")


def test_strangers_click_then_reset_leaves_nothing_of_who_was_there_before(
    app: Flask, mailbox: Mailbox, api: Api, prepared: Phone
) -> None:
    stranger = signed_in_by_code(app, prepared)
    click = mailbox.secret("confirm")
    confirm(api, click)  # the owner has the link and not the password
    assert reset_by_mail(api, mailbox).status_code == 204
    assert left(app) == []
    assert stranger.get("/users/me").status_code == 401
    signed_in = api.post("/auth/login", {"identifier": "ann", "password": NEW_PASSWORD})
    assert signed_in.status_code == 200
    with app.app_context():
        assert rows(User)[0].email_verified is True


def test_click_on_the_page_then_reset_leaves_nothing_of_who_was_there_before(
    app: Flask, mailbox: Mailbox, api: Api, browser: Browser, prepared: Phone
) -> None:
    link = f"/auth/confirm/{mailbox.secret('confirm')}"
    browser.post(link, form=link)
    reset_by_mail(api, mailbox)
    assert left(app) == []


def test_owner_is_told_what_was_removed(mailbox: Mailbox, api: Api, prepared: Phone) -> None:
    reset_by_mail(api, mailbox)
    told = " ".join(text(mail) for mail in mailbox.receive())
    for word in ("passkey", "authenticator app", "linked account", "webhook", "personal token"):
        assert word in told


def test_first_confirmation_removes_what_was_there_before_and_keeps_who_confirms(
    app: Flask, mailbox: Mailbox, prepared: Phone
) -> None:
    token = mailbox.secret("confirm")
    other, mine = (signed_in_by_code(app, prepared) for _ in range(2))
    assert confirm(mine, token).status_code == 204
    assert mine.get("/users/me").status_code == 200
    assert other.get("/users/me").status_code == 401
    assert left(app) == ["Token"]
    assert "webhook" in " ".join(text(mail) for mail in mailbox.receive())


def test_what_the_owner_adds_after_the_proof_stays(
    app: Flask, mailbox: Mailbox, api: Api, ann: Actor
) -> None:
    mine = signed_in_api(app, ann)
    confirm(mine, mailbox.secret("confirm"))
    phone = phone_of(app, ann)
    with app.app_context():
        add_passkey(ann)
        webhooks.create(ann, "https://9.9.9.9/hook", ["task.created"])
        linked_accounts.link(ann, PERSON)
    reset_by_mail(api, mailbox)
    assert left(app) == ["Factor", "RecoveryCode", "LinkedAccount", "Webhook"]
    body = {"identifier": "ann", "password": NEW_PASSWORD}
    assert slug_of(api.post("/auth/login", body)) == (401, "otp-required")
    assert api.post("/auth/login", {**body, "otp": phone.code()}).status_code == 200


def test_new_address_of_a_proven_owner_takes_the_factors_along(
    app: Flask, mailbox: Mailbox, ann: Actor
) -> None:
    mine = signed_in_api(app, ann)
    confirm(mine, mailbox.secret("confirm"))
    mine = signed_in_by_code(app, phone_of(app, ann))
    mine.patch("/users/me", {"email": "new@example.com", "current_password": PASSWORD})
    assert confirm(mine, mailbox.secret("confirm")).status_code == 204
    assert left(app) == ["Factor", "RecoveryCode", "Token"]


def test_bare_click_of_an_earlier_release_counts_from_its_moment(
    app: Flask, mailbox: Mailbox, api: Api, ann: Actor, prepared: Phone
) -> None:
    """The address was confirmed by a link after most additions and before a webhook."""
    with app.app_context():
        set_values(User, ann.id, email_verified=True)
        changes = {"email_verified": [False, True]}
        atomic(audit.record)(Actor(), "user.updated", ann.id, changes)
        webhooks.create(ann, "https://9.9.9.8/hook", ["task.created"])
    mailbox.receive()
    reset_by_mail(api, mailbox)
    assert left(app) == ["Webhook"]
    with app.app_context():
        assert [row.url for row in rows(Webhook)] == ["https://9.9.9.8/hook"]


def test_link_that_an_admin_hands_over_proves_no_address(
    app: Flask, api: Api, ann: Actor, prepared: Phone
) -> None:
    with app.app_context():
        secret = password_reset.make_link(SYSTEM, users.get(SYSTEM, ann.id))
    assert api.post("/auth/reset", {"token": secret, "password": NEW_PASSWORD}).status_code == 204
    assert left(app) == ["Factor", "RecoveryCode", "LinkedAccount", "Webhook"]


def test_page_and_mail_name_the_account_and_offer_a_way_out(
    app: Flask, mailbox: Mailbox, browser: Browser, ann: Actor
) -> None:
    (mail,) = mailbox.receive()
    assert "username ann" in text(mail)
    assert "This was not me" in text(mail)
    assert "This was not me" in text(mail, "html")
    link = f"/auth/confirm/{text(mail).partition('/auth/confirm/')[2].split()[0]}"
    page = browser.get(link).text
    assert ("<strong>ann</strong>" in page, "This was not me" in page) == (True, True)
    assert 'name="password"' in page


def test_this_was_not_me_takes_the_address_off_and_signs_nobody_in(
    app: Flask, mailbox: Mailbox, api: Api, browser: Browser, ann: Actor
) -> None:
    link = f"/auth/confirm/{mailbox.secret('confirm')}"
    answer = browser.post(f"{link}/not-me", form=link)
    assert answer.status_code == 303
    assert browser.get("/settings/profile").status_code == 302
    assert browser.get(link).status_code == 400
    taken = {"username": "owner", "email": "ann@example.com", "password": PASSWORD}
    assert api.post("/users", taken).status_code == 201
    me = signed_in_api(app, ann).get("/users/me").get_json()
    assert me["email"].endswith(".invalid")
    assert {mail["To"] for mail in mailbox.receive()} == {"ann@example.com"}  # of the new account


def test_this_was_not_me_leaves_another_address_as_it_is(
    app: Flask, mailbox: Mailbox, browser: Browser, ann_api: Api
) -> None:
    confirm(ann_api, mailbox.secret("confirm"))
    ann_api.patch("/users/me", {"email": "victim@example.com", "current_password": PASSWORD})
    link = f"/auth/confirm/{mailbox.secret('confirm')}"
    browser.post(f"{link}/not-me", form=link)
    assert browser.get(link).status_code == 400
    assert ann_api.get("/users/me").get_json()["email"] == "ann@example.com"


def test_account_without_an_address_gets_one_and_no_mail_before(
    app: Flask, mailbox: Mailbox, browser: Browser, ann_api: Api, root_api: Api, ann: Actor
) -> None:
    links = [mail for mail in mailbox.receive() if mail["To"] == "ann@example.com"]
    link = f"/auth/confirm/{text(links[0]).partition('/auth/confirm/')[2].split()[0]}"
    browser.post(f"{link}/not-me", form=link)
    assert slug_of(ann_api.post("/users/me/confirmation")) == (409, "conflict")
    assert mailbox.receive() == []
    change = {"email": "new@example.com", "current_password": PASSWORD}
    assert ann_api.patch("/users/me", change).status_code == 200
    assert confirm(ann_api, mailbox.secret("confirm")).status_code == 204
    assert ann_api.get("/users/me").get_json()["email"] == "new@example.com"
    assert mailbox.receive() == []  # an account without an address gets no mail


def test_page_asks_for_no_password_where_the_account_is_signed_in(
    app: Flask, mailbox: Mailbox, ann: Actor, ann_browser: Browser
) -> None:
    link = f"/auth/confirm/{mailbox.secret('confirm')}"
    assert 'name="password"' not in ann_browser.get(link).text
    assert ann_browser.post(link, form=link).location == "/settings/profile"


def test_page_tells_who_is_signed_in_to_another_account(
    app: Flask, mailbox: Mailbox, ann: Actor, bob: Actor
) -> None:
    mails = {mail["To"]: text(mail) for mail in mailbox.receive()}
    link = mails["ann@example.com"].partition("/auth/confirm/")[2].split()[0]
    other = signed_in_browser(app, bob)
    page = other.get(f"/auth/confirm/{link}")
    assert "signed in as bob" in page.text
    assert other.post(f"/auth/confirm/{link}", {"password": PASSWORD}).status_code == 403


def test_wrong_password_on_the_page_keeps_the_link(
    app: Flask, mailbox: Mailbox, browser: Browser, ann: Actor
) -> None:
    link = f"/auth/confirm/{mailbox.secret('confirm')}"
    assert browser.post(link, {"password": "no plums"}, form=link).status_code == 422
    assert browser.post(link, {"password": PASSWORD}, form=link).location == "/auth/login"


def test_guesses_at_the_password_are_counted_like_signing_in(
    mailbox: Mailbox, api: Api, ann: Actor
) -> None:
    token = mailbox.secret("confirm")
    found = [confirm(api, token, password=f"plum {number}").status_code for number in range(11)]
    assert found == [401] * 10 + [429]


CALLS = {
    "totp": ("post", "/users/me/factors/totp", {"current_password": PASSWORD}),
    "webhook": ("post", "/webhooks", {"url": "https://9.9.9.9/", "events": ["task.created"]}),
    "token": ("post", "/tokens", {"name": "x", "scopes": ["tasks:read"]}),
}


@pytest.mark.parametrize("name", CALLS)
def test_unconfirmed_account_gets_nothing_that_lasts(
    mailbox: Mailbox, ann_api: Api, name: str
) -> None:
    method, path, body = CALLS[name]
    token = mailbox.secret("confirm")
    assert slug_of(ann_api.call(method, path, json=body)) == (403, "email-unconfirmed")
    confirm(ann_api, token)
    assert ann_api.call(method, path, json=body).status_code in (200, 201)


@pytest.mark.parametrize("name", CALLS)
def test_without_mail_no_confirmation_is_asked_for(ann_api: Api, name: str) -> None:
    method, path, body = CALLS[name]
    assert ann_api.call(method, path, json=body).status_code in (200, 201)


def test_unconfirmed_account_gets_no_passkey_and_no_linked_account(
    app: Flask, mailbox: Mailbox, ann: Actor
) -> None:
    with app.app_context(), pytest.raises(EmailUnconfirmed):
        add_passkey(ann)
    with app.app_context(), pytest.raises(EmailUnconfirmed):
        linked_accounts.link(ann, PERSON)


def test_webhook_from_before_is_not_switched_on_by_an_unconfirmed_account(
    app: Flask, ann_api: Api, ann: Actor, mailbox: Mailbox
) -> None:
    with mail_to(app, ""), app.app_context():
        webhook, _ = webhooks.create(ann, "https://9.9.9.9/", ["task.created"], is_active=False)
    path = f"/webhooks/{webhook.id}"
    assert slug_of(ann_api.patch(path, {"is_active": True})) == (403, "email-unconfirmed")
    assert ann_api.delete(path).status_code == 204


PAGES = {
    "/settings/two-factor/totp": {"current_password": PASSWORD},
    "/settings/two-factor/passkeys/new": {"current_password": PASSWORD},
    "/settings/tokens": {"name": "x", "scopes": "tasks:read"},
    "/settings/webhooks": {"url": "https://9.9.9.9/", "events": "task.created"},
}


@pytest.mark.parametrize("path", PAGES)
def test_pages_say_in_a_line_what_is_missing_and_send_the_mail(
    app: Flask, mailbox: Mailbox, ann_browser: Browser, path: str
) -> None:
    mailbox.receive()
    for page in (ann_browser.get(path), ann_browser.post(path, PAGES[path], form=path)):
        assert "Confirm your email address first" in page.text
        assert 'action="/settings/confirmation"' in page.text
    assert page.status_code == 403
    ann_browser.post("/settings/confirmation", form=path)
    assert mailbox.secret("confirm")
    with app.app_context():
        assert [rows(model) for model in LASTING] == [[], [], [], []]


def test_link_that_was_mailed_ends_in_time(app: Flask, mailbox: Mailbox, ann_api: Api) -> None:
    token = mailbox.secret("confirm")
    with app.app_context():
        age(OneTimeLink, "expires_at", timedelta(days=1))
    assert slug_of(confirm(ann_api, token)) == (400, "void-link")
