"""Mails: texts and recipients, and no stored secret before the sending."""

import re
from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage
from html import unescape
from typing import Any

import pytest
from flask import Flask

from app.errors import Invalid, NotFound
from app.models import OneTimeLink, OutboxEntry, User
from app.models.one_time_link import LIFE
from app.models.types import now
from app.product import NAME, SLUG
from app.services.accounts import accounts, email_confirmation, link_changes, password_reset
from app.services.authentication import one_time_links
from app.services.outbox import outbox
from app.services.outbox.notices import AUTOMATIC, NOTICES
from app.services.shared.actor import SYSTEM, Actor
from app.services.users import users
from app.sql.connection import RequestConnection as Connection
from app.worker import mail_messages
from tests.conftest import PASSWORD, MakePerson
from tests.support.mailbox import LINK, Mailbox, send_due, text
from tests.support.rows import rows, set_values

NEW_PASSWORD = "eleven apples in a bowl"
EMAIL = "ann@example.com"
# Forbidden in every mail: input that became markup, and content that a client would fetch.
FOREIGN = re.compile(r"<(b|i|u|img|table|script|link|iframe)\b|url\(|@import")


@pytest.fixture
def member(mailbox: Mailbox, make_person: MakePerson) -> Actor:
    """Ann, who has received her first mail."""
    ann = make_person("ann")
    mailbox.receive()
    return ann


def entry_of(name: str, **payload: Any) -> OutboxEntry:
    told = {"to": "ann@example.com", "username": "ann", "by_owner": True, "address": "", **payload}
    values = {"id": "some-id", "name": name, "payload": told, "created_at": now()}
    return OutboxEntry(**values)


def test_without_mail_nothing_is_put_into_the_outbox(app: Flask, ann: Actor) -> None:
    with app.app_context():
        accounts.update_self(ann, {"email": "new@example.com"}, PASSWORD)
        accounts.update_self(ann, {"password": NEW_PASSWORD}, PASSWORD)
        assert rows(OutboxEntry) == []
        assert rows(User)[0].email == "new@example.com"


def test_mail_has_the_headers_that_mails_need(app: Flask, mailbox: Mailbox, ann: Actor) -> None:
    (mail,) = mailbox.receive()
    with app.app_context():
        (entry,) = rows(OutboxEntry)
    assert (mail["To"], mail["From"]) == ("ann@example.com", f"{NAME} <{SLUG}@localhost>")
    assert mail["Message-ID"] == f"<{entry.id}@localhost>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert abs(mail["Date"].datetime - now()) < timedelta(minutes=1)
    assert mail["Subject"] == f"Confirm your email address - {NAME}"


def test_text_and_html_say_the_same(mailbox: Mailbox, ann: Actor) -> None:
    (mail,) = mailbox.receive()
    plain, html = text(mail), text(mail, "html")
    (link,) = LINK.findall(plain)
    assert LINK.findall(html) == [link] * 2  # as the address and as text
    for word in ("Hello ann", "uses the address ann@example.com", "within 24 hours"):
        assert word in plain
        assert word in html


def every_mail() -> dict[str, EmailMessage]:
    """Return a mail of each kind, with users' texts that are markup. Needs a request context."""
    words = {"username": "<b>ann</b>", "address": "192.0.2.1", "details": ["<i>Name</i>: x"]}
    mails = {name: mail_messages.notice(entry_of(name, **words)) for name in NOTICES}
    mails["email_changed"] = mail_messages.notice(entry_of("email_changed", **words), undo="s" * 43)
    for name in LIFE:
        entry = entry_of(name, by="<u>root</u>")
        mails[name] = mail_messages.link(entry, "<b>ann</b>", "ann@example.com", "s" * 43)
    return mails


def test_every_mail_is_text_and_html_with_no_image_and_no_foreign_link(app: Flask) -> None:
    with app.test_request_context():
        for name, mail in every_mail().items():
            html = text(mail, "html")
            assert mail.get_content_type() == "multipart/alternative", name
            assert "Hello <b>ann</b>" in text(mail), name
            assert not re.search(r"<(b|i|u|img|table|script|link|iframe)\b|url\(|@import", html), (
                name
            )
            sites = set(re.findall(r'(?:href|src)="([^"/]*//[^"/]+)', html))
            assert sites == {app.config["PUBLIC_URL"]}, name
            assert not re.search(r'href="[^"]*[^\w"/]"', html), name


def test_every_mail_follows_the_colour_scheme(app: Flask) -> None:
    with app.test_request_context():
        for name, mail in every_mail().items():
            html = text(mail, "html")
            assert '<meta name="color-scheme" content="light dark">' in html, name
            assert "prefers-color-scheme: dark" in html, name


def test_button_of_a_mail_is_one_link_whose_address_can_be_read(app: Flask) -> None:
    with app.test_request_context():
        for name, mail in every_mail().items():
            buttons = re.findall(r'<a class="button" href="([^"]+)"', text(mail, "html"))
            assert len(buttons) <= 1, name
            assert all(f"address: {url}</p>" in text(mail, "html") for url in buttons), name
            assert all(url in text(mail) for url in buttons), name


@pytest.mark.parametrize("name", sorted(AUTOMATIC))
def test_act_of_the_service_itself_is_nobodys(app: Flask, name: str) -> None:
    with app.test_request_context():
        mail = mail_messages.notice(entry_of(name, by_owner=False, by_admin=False))
    assert "By:" not in text(mail)
    assert "By:" not in text(mail, "html")


@pytest.mark.parametrize("name", sorted(NOTICES))
def test_notice_says_what_happened_when_and_from_where(app: Flask, name: str) -> None:
    with app.test_request_context():
        mail = mail_messages.notice(entry_of(name, address="192.0.2.1"))
        others = mail_messages.notice(entry_of(name, by_owner=False))
    for part in ("plain", "html"):
        assert NOTICES[name].what in unescape(text(mail, part))
        if name != "token_ending":  # no user acted
            assert "By: you, from 192.0.2.1" in text(mail, part)
            assert "By: an admin" in text(others, part)


def test_what_somebody_typed_is_escaped_in_html_and_stands_in_no_subject(app: Flask) -> None:
    with app.test_request_context():
        mail = mail_messages.notice(
            entry_of("email_changed", username="<b>x</b>\r\nBcc: y@z.example")
        )
    assert "<b>" not in text(mail, "html")
    assert "Bcc" not in mail
    assert str(mail["Subject"]) == f"Your email address was changed - {NAME}"


@pytest.mark.parametrize("email", ["a@b.example\r\nBcc: c@d.example", "a@b.example\nX: y", "a\r@b"])
def test_address_that_forges_a_header_is_refused(
    app: Flask, mailbox: Mailbox, member: Actor, email: str
) -> None:
    with app.app_context():
        with pytest.raises(Invalid):
            password_reset.ask(Actor(), email)
        with pytest.raises(Invalid):
            accounts.update_self(member, {"email": email}, PASSWORD)
    with app.test_request_context(), pytest.raises(ValueError, match=r"(?i)invalid|header|newline"):
        mail_messages.notice(entry_of("email_changed", to=email))


def test_outbox_and_links_hold_no_secret(app: Flask, mailbox: Mailbox, member: Actor) -> None:
    with app.app_context():
        password_reset.ask(Actor(), "ann@example.com")
    secret = mailbox.secret("reset")
    with app.app_context():
        kept = str([rows(model) for model in (OutboxEntry, OneTimeLink, User)])
    assert secret not in kept
    assert "fst_" not in kept


def test_mail_that_is_sent_twice_bears_one_id_and_both_links_work(
    app: Flask, mailbox: Mailbox, member: Actor
) -> None:
    with app.app_context():
        password_reset.ask(Actor(), "ann@example.com")
        entry_id = rows(OutboxEntry)[-1].id
    first = mailbox.receive()[0]
    with app.app_context():  # the sending could not be stored
        set_values(OutboxEntry, entry_id, status="pending", run_at=now(), finished_at=None)
    (second,) = mailbox.receive()
    assert second["Message-ID"] == first["Message-ID"]
    secrets = [LINK.findall(text(mail))[0][2] for mail in (first, second)]
    with app.app_context():
        assert [password_reset.is_live(secret) for secret in secrets] == [True, True]


def change_password(ann: Actor) -> None:
    accounts.update_self(ann, {"password": NEW_PASSWORD}, PASSWORD)


def change_email(ann: Actor) -> None:
    link_changes.confirm_email(ann, ann.id, "new@example.com")


def deactivate(ann: Actor) -> None:
    accounts.update(SYSTEM, ann.id, {"is_active": False})


def delete(ann: Actor) -> None:
    accounts.delete(ann, ann.id)


@pytest.mark.parametrize("change", [change_password, change_email, deactivate, delete])
def test_link_is_not_sent_once_the_account_has_changed(
    app: Flask, mailbox: Mailbox, member: Actor, change: Any
) -> None:
    with app.app_context():
        email_confirmation.ask(member)
        change(member)
    assert not [mail for mail in mailbox.receive() if LINK.search(text(mail))]
    with app.app_context():
        assert rows(OneTimeLink) == []
        assert rows(OutboxEntry, status="pending") == []


@pytest.mark.parametrize("change", [change_email, deactivate, delete])
def test_reset_is_not_sent_to_who_has_gone(
    app: Flask, mailbox: Mailbox, member: Actor, change: Any
) -> None:
    with app.app_context():
        password_reset.ask(Actor(), "ann@example.com")
        change(member)
    assert not [mail for mail in mailbox.receive() if LINK.search(text(mail))]


def test_of_two_addresses_the_last_one_is_mailed(
    app: Flask, mailbox: Mailbox, member: Actor
) -> None:
    with app.app_context():
        for email in ("one@example.com", "two@example.com"):
            accounts.update_self(member, {"email": email}, PASSWORD)
    assert [mail["To"] for mail in mailbox.receive()] == ["two@example.com"]


def test_owner_is_told_of_a_new_password(mailbox: Mailbox, app: Flask, member: Actor) -> None:
    with app.app_context():
        change_password(member)
    (mail,) = mailbox.receive()
    assert (mail["To"], NOTICES["password_changed"].what in text(mail)) == (EMAIL, True)


def test_old_address_is_told_of_a_new_one(mailbox: Mailbox, app: Flask, member: Actor) -> None:
    with app.app_context():
        accounts.update(SYSTEM, member.id, {"email": "new@example.com"})
    (mail,) = mailbox.receive()
    assert mail["To"] == EMAIL
    assert "By: an admin" in text(mail)


def spied(method: Callable[..., Any], sent: list[str]) -> Callable[..., Any]:
    def spy(self: Any, sql: str, *args: Any) -> Any:
        sent.append(sql)
        return method(self, sql, *args)

    return spy


def test_answer_takes_the_same_statements_with_and_without_an_account(
    app: Flask, mailbox: Mailbox, member: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(email: str) -> list[str]:
        with app.app_context():
            before = len(rows(OutboxEntry))
            password_reset.ask(Actor(address="192.0.2.1"), email)
            assert len(rows(OutboxEntry)) == before + 1
            return sent

    sent: list[str] = []
    for name in ("execute", "defer"):
        monkeypatch.setattr(Connection, name, spied(getattr(Connection, name), sent))
    known = list(asked("ann@example.com"))
    sent.clear()
    assert list(asked("nobody@example.com")) == known
    assert len(known) > 5


def test_link_of_an_account_that_is_gone_is_void(app: Flask, ann: Actor) -> None:
    with app.app_context():
        secret = one_time_links.make(ann.id, "reset", "")
        accounts.delete(ann, ann.id)
        assert not password_reset.is_live(secret)
        with pytest.raises(NotFound):
            users.get(ann, ann.id)


def test_entry_that_was_left_when_mail_was_turned_off_waits(app: Flask, ann: Actor) -> None:
    with app.app_context():
        entry_id = outbox.add("mail", "password_changed", entry_of("password_changed").payload)
    assert send_due(app) == 1
    with app.app_context():
        (entry,) = rows(OutboxEntry, id=entry_id)
    assert (entry.status, "MAIL_URL" in entry.error) == ("pending", True)
