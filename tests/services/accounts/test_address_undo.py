"""The undo of an address change: by the old address alone, once, and without a thief's traces."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from app.models import EmailChange, Factor, OutboxEntry, Session, Token, User, Webhook
from app.models.user import has_address
from app.services.accounts import accounts, address_undo, email_confirmation
from app.services.authentication import one_time_links
from app.services.shared.actor import SYSTEM, Actor
from app.services.users import registration, users
from app.services.webhooks import webhooks
from tests.conftest import PASSWORD, MakePerson, signed_in_api
from tests.support.clients import Browser
from tests.support.mailbox import LINK, Mailbox, text
from tests.support.rows import add_factor, age, prove_address, rows

NEW_PASSWORD = "eleven apples in a bowl"
OLD, THIEFS = "ann@example.com", "thief@example.com"


@pytest.fixture
def member(app: Flask, mailbox: Mailbox, make_person: MakePerson) -> Actor:
    ann = make_person("ann")
    prove_address(app, ann)
    mailbox.receive()
    return ann


def steal(app: Flask, ann: Actor, address: str = THIEFS) -> None:
    """Change the address as a thief with the password."""
    with app.app_context():
        secret = one_time_links.make(ann.id, "confirm", address)
        email_confirmation.follow(ann, secret)


def undo_links(mailbox: Mailbox) -> list[str]:
    """Return the paths of the links that were mailed to the old address. Asserts no other one."""
    found = []
    for mail in mailbox.receive():
        of_mail = [
            f"/auth/undo/{link[2]}" for link in LINK.findall(text(mail)) if link[1] == "undo"
        ]
        assert not of_mail or mail["To"] != THIEFS
        found += of_mail
    return found


def email_of(app: Flask) -> str:
    with app.app_context():
        email: str = rows(User)[0].email
        return email


def test_link_restores_the_address_and_ends_what_was_made_since(
    app: Flask, browser: Browser, mailbox: Mailbox, member: Actor
) -> None:
    steal(app, member)
    api = signed_in_api(app, member)
    with app.app_context():
        add_factor(member.id)
        webhooks.create(member, "https://1.1.1.1/", ["task.created"])
        accounts.update_self(member, {"password": NEW_PASSWORD}, PASSWORD)
    (link,) = undo_links(mailbox)
    answer = browser.post(link, form=link)
    assert (answer.status_code, answer.location.rpartition("/")[0]) == (303, "/auth/reset")
    assert email_of(app) == OLD
    assert api.get("/tasks").status_code == 401
    with app.app_context():
        assert [rows(model) for model in (Factor, Session, Token, Webhook, EmailChange)] == [[]] * 5
    typed = {"password": PASSWORD, "repeat": PASSWORD}
    assert browser.post(answer.location, typed, form=answer.location).status_code == 303
    assert browser.sign_in(OLD, PASSWORD).status_code == 303


def test_what_was_added_before_the_change_stays(
    app: Flask, browser: Browser, mailbox: Mailbox, member: Actor
) -> None:
    with app.app_context():
        webhook, _ = webhooks.create(member, "https://1.1.1.1/", ["task.created"])
    steal(app, member)
    (link,) = undo_links(mailbox)
    browser.post(link, form=link)
    with app.app_context():
        assert [row.id for row in rows(Webhook)] == [webhook.id]


def test_link_works_once_and_reading_it_changes_nothing(
    app: Flask, browser: Browser, mailbox: Mailbox, member: Actor
) -> None:
    steal(app, member)
    (link,) = undo_links(mailbox)
    assert OLD in browser.get(link).text
    assert email_of(app) == THIEFS
    browser.post(link, form=link)
    assert browser.get(link).status_code == 400


def test_thief_who_changes_it_twice_does_not_void_the_first_link(
    app: Flask, browser: Browser, mailbox: Mailbox, member: Actor
) -> None:
    steal(app, member)
    (link,) = undo_links(mailbox)
    steal(app, member, "second@example.com")
    mailbox.receive()
    browser.post(link, form=link)
    assert email_of(app) == OLD
    with app.app_context():
        assert rows(EmailChange) == []


def test_thief_who_undoes_the_second_change_does_not_void_the_first_link(
    app: Flask, browser: Browser, mailbox: Mailbox, member: Actor
) -> None:
    steal(app, member, "first@example.com")
    (link,) = undo_links(mailbox)
    steal(app, member, "second@example.com")
    (of_thief,) = undo_links(mailbox)
    browser.post(of_thief, form=of_thief)
    assert email_of(app) == "first@example.com"
    browser.post(link, form=link)
    assert email_of(app) == OLD


def test_mail_that_leaves_after_the_undo_has_no_link(
    app: Flask, browser: Browser, mailbox: Mailbox, member: Actor
) -> None:
    steal(app, member, "first@example.com")
    (link,) = undo_links(mailbox)
    steal(app, member, "second@example.com")
    with app.app_context():
        claimed: Any = rows(OutboxEntry, name="email_changed", status="pending")[0]
    browser.post(link, form=link)
    with app.app_context():
        assert address_undo.make(claimed) == ""
    assert undo_links(mailbox) == []


def test_address_of_an_unconfirmed_account_is_taken_from_it(
    app: Flask, browser: Browser, mailbox: Mailbox, member: Actor
) -> None:
    """A thief may register another account with the old address to prevent the undo."""
    steal(app, member)
    (link,) = undo_links(mailbox)
    with app.app_context():
        other = registration.register(Actor(), "mallory", OLD.upper(), PASSWORD)
    assert browser.post(link, form=link).status_code == 303
    with app.app_context():
        assert users.get(SYSTEM, member.id).email == OLD
        assert not has_address(users.get(SYSTEM, other.id).email)


def test_webhook_that_was_changed_since_is_removed(
    app: Flask, browser: Browser, mailbox: Mailbox, member: Actor
) -> None:
    with app.app_context():
        webhook, _ = webhooks.create(member, "https://1.1.1.1/", ["task.created"])
    steal(app, member)
    (link,) = undo_links(mailbox)
    with app.app_context():
        webhooks.update(member, webhook.id, {"url": "https://8.8.8.8/"})
    browser.post(link, form=link)
    with app.app_context():
        assert rows(Webhook) == []


def test_link_works_for_seven_days(
    app: Flask, browser: Browser, mailbox: Mailbox, member: Actor
) -> None:
    steal(app, member)
    (link,) = undo_links(mailbox)
    with app.app_context():
        age(EmailChange, "expires_at", timedelta(days=7) - timedelta(minutes=1))
    assert browser.get(link).status_code == 200
    with app.app_context():
        age(EmailChange, "expires_at", timedelta(minutes=2))
    assert browser.get(link).status_code == 400


def test_address_that_another_account_has_now_is_not_taken_from_it(
    app: Flask, browser: Browser, mailbox: Mailbox, member: Actor, make_person: MakePerson
) -> None:
    steal(app, member)
    (link,) = undo_links(mailbox)
    bob = make_person("bob")
    with app.app_context():
        accounts.update(SYSTEM, bob.id, {"email": OLD})
    prove_address(app, bob)
    answer = browser.post(link, form=link)
    assert (answer.status_code, "taken" in answer.text) == (422, True)
    assert browser.get(link).status_code == 200


def test_change_by_an_admin_or_of_an_unproved_address_has_no_link(
    app: Flask, mailbox: Mailbox, member: Actor, make_person: MakePerson
) -> None:
    bob = make_person("bob")
    with app.app_context():
        accounts.update(SYSTEM, member.id, {"email": "anna@example.com"})
        email_confirmation.follow(bob, one_time_links.make(bob.id, "confirm", "bobby@example.com"))
    assert undo_links(mailbox) == []
