"""Notices: every security-relevant action sends its own mail to the owner of the account."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from app.models import OutboxEntry
from app.product import NAME
from app.services.access import personal_tokens
from app.services.accounts import accounts
from app.services.outbox.notices import AUDITED, NOTICES, UNNOTICED
from app.services.shared import audit
from app.services.shared.actor import SYSTEM, Actor
from app.services.users import users
from app.services.webhooks import signing_secrets, webhooks
from tests.conftest import PASSWORD, MakePerson
from tests.support.clients import Browser
from tests.support.mailbox import Mailbox, text
from tests.support.rows import prove_address, rows

SECURITY_KINDS = {"user", "token", "webhook"}
ONE_PASSWORD = "eleven apples in a bowl"


@pytest.fixture
def member(app: Flask, mailbox: Mailbox, make_person: MakePerson) -> Actor:
    """Ann, with a confirmed address and an empty mailbox."""
    ann = make_person("ann")
    prove_address(app, ann)
    mailbox.receive()
    return ann


def test_every_security_action_has_a_notice_or_a_reason() -> None:
    relevant = {action for action, kind in audit.ACTIONS.items() if kind in SECURITY_KINDS}
    assert relevant == AUDITED.keys() | UNNOTICED.keys()
    assert not AUDITED.keys() & UNNOTICED.keys()


def test_every_notice_is_of_an_action() -> None:
    assert {name for names in AUDITED.values() for name in names} == NOTICES.keys()


def test_each_notice_has_a_subject_of_its_own() -> None:
    assert len({notice.subject for notice in NOTICES.values()}) == len(NOTICES)


def test_notice_of_a_lost_address_does_not_ask_for_a_new_password_by_mail() -> None:
    assert "/auth/forgot" not in NOTICES["email_changed"].advice


def make_webhook(actor: Actor) -> str:
    webhook, _ = webhooks.create(actor, "https://1.1.1.1/hook", ["task.created"])
    return webhook.id


def revoke_token(owner: Actor) -> None:
    user = users.get(SYSTEM, owner.id)
    token, _ = personal_tokens.create(SYSTEM, user, "printer", ["tasks:read"])
    personal_tokens.revoke(SYSTEM, token.id, owner_id=owner.id)


Act = Callable[[Actor], Any]
ACTS: dict[str, tuple[Act, str]] = {
    "username_changed": (lambda ann: accounts.update_self(ann, {"username": "anna"}), "ann → anna"),
    "password_changed": (
        lambda ann: accounts.update_self(ann, {"password": ONE_PASSWORD}, PASSWORD),
        "By: you, from 192.0.2.1",
    ),
    "role_changed": (
        lambda ann: accounts.update(SYSTEM, ann.id, {"role": "admin"}),
        "user → admin",
    ),
    "deactivated": (
        lambda ann: accounts.update(SYSTEM, ann.id, {"is_active": False}),
        "By: an admin",
    ),
    "deleted": (lambda ann: accounts.delete(ann, ann.id), "cannot be restored"),
    "webhook_created": (make_webhook, "https://1.1.1.1/hook"),
    "webhook_changed": (
        lambda ann: webhooks.update(ann, make_webhook(ann), {"url": "https://1.1.1.1/new"}),
        "Now: https://1.1.1.1/new",
    ),
    "webhook_secret_rotated": (
        lambda ann: signing_secrets.rotate(ann, make_webhook(ann)),
        "24 hours",
    ),
    "token_revoked": (revoke_token, "printer"),
}


@pytest.mark.parametrize("name", ACTS)
def test_act_is_mailed_to_the_owner(app: Flask, mailbox: Mailbox, member: Actor, name: str) -> None:
    act, words = ACTS[name]
    with app.app_context():
        act(member)
    mails = {str(mail["Subject"]): mail for mail in mailbox.receive()}
    mail = mails[f"{NOTICES[name].subject} - {NAME}"]
    assert mail["To"] == "ann@example.com"
    for part in ("plain", "html"):
        assert words in text(mail, part)


def test_notice_names_the_device_of_an_act_on_the_pages(
    app: Flask, mailbox: Mailbox, member: Actor
) -> None:
    browser = Browser(app)
    browser.sign_in("ann", PASSWORD)
    profile = {"username": "anna", "email": "ann@example.com"}
    firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    browser.post(
        "/settings/profile", profile, form="/settings/profile", headers={"User-Agent": firefox}
    )
    (mail,) = mailbox.receive()
    assert "with Firefox on Linux" in text(mail)


def test_notice_of_a_deletion_leaves_nothing_in_the_outbox(
    app: Flask, mailbox: Mailbox, member: Actor
) -> None:
    with app.app_context():
        accounts.delete(member, member.id)
    (mail,) = mailbox.receive()
    assert "Hello ann" in text(mail)
    with app.app_context():
        assert "ann" not in str([entry.payload for entry in rows(OutboxEntry)])


def test_sign_in_with_an_unknown_browser_is_mailed_and_with_a_known_one_is_not(
    app: Flask, mailbox: Mailbox, member: Actor
) -> None:
    first, other = Browser(app), Browser(app)
    first.sign_in("ann", PASSWORD)
    assert mailbox.receive() == []  # the first sign-in of the account
    first.post("/auth/logout", form="/settings/profile")
    first.sign_in("ann", PASSWORD)
    assert mailbox.receive() == []
    other.sign_in("ann", PASSWORD)
    (mail,) = mailbox.receive()
    assert str(mail["Subject"]) == f"New sign-in to your account - {NAME}"
    assert "from 127.0.0.1" in text(mail)
