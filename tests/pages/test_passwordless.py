"""An account with passkeys alone: the user removes the password, and a mail sets a new one."""

import pytest
from flask import Flask

from app.errors import BadCredentials, Conflict, EmailUnconfirmed, Invalid
from app.models import Factor, OutboxEntry, Session, Token, User
from app.services.access import personal_tokens
from app.services.accounts import accounts, invitations, password_reset
from app.services.authentication import authentication, one_time_links
from app.services.factors import factors
from app.services.shared.actor import SYSTEM, Actor
from app.services.users import users
from tests.conftest import PASSWORD, MakePerson, signed_in_api, signed_in_browser
from tests.services.factors.test_passkeys_service import add as add_passkey, sign_in
from tests.support.clients import Browser
from tests.support.mailbox import Mailbox
from tests.support.races import race, split
from tests.support.rows import actions, add_factor, prove_address, rows

PAGE = "/settings/password"
NEW_PASSWORD = "eleven apples in a bowl"
HERE = Actor(address="192.0.2.1")


def hash_of(actor: Actor) -> str:
    (user,) = rows(User, id=actor.id)
    kept: str = user.password_hash
    return kept


@pytest.mark.usefixtures("ctx")
def test_passkey_alone_signs_in_after_it(ann: Actor) -> None:
    device = add_passkey(ann)
    accounts.remove_password(ann, PASSWORD)
    assert hash_of(ann) == ""
    assert sign_in(device) == ann.id
    for password in (PASSWORD, ""):
        with pytest.raises(BadCredentials):
            authentication.authenticate(HERE, "ann", password)
    assert "user.password_removed" in actions()


@pytest.mark.usefixtures("ctx")
@pytest.mark.parametrize("kind", ["", "totp"])
def test_last_way_to_log_in_is_not_removed(ann: Actor, kind: str) -> None:
    if kind:
        add_factor(ann.id, kind)
    kept = hash_of(ann)
    with pytest.raises(Conflict, match="could not sign in"):
        accounts.remove_password(ann, PASSWORD)
    assert (hash_of(ann), "user.password_removed" in actions()) == (kept, False)


@pytest.mark.usefixtures("ctx")
@pytest.mark.parametrize("password", ["wrong", None])
def test_it_takes_the_password(ann: Actor, password: str | None) -> None:
    add_passkey(ann)
    with pytest.raises(Invalid):
        accounts.remove_password(ann, password)
    assert hash_of(ann)


def test_other_logins_end_and_personal_tokens_stay(app: Flask, ann: Actor) -> None:
    signed_in_api(app, ann)
    signed_in_browser(app, ann)
    with app.app_context():
        add_factor(ann.id, "passkey")
        personal_tokens.create(SYSTEM, users.get(ann, ann.id), "printer", ["tasks:read"])
        accounts.remove_password(ann, PASSWORD)
        assert rows(Session) == []
        assert [token.kind for token in rows(Token)] == ["personal"]


def test_mail_sets_a_password_again_and_tells_the_owner(
    app: Flask, ann: Actor, mailbox: Mailbox
) -> None:
    prove_address(app, ann)
    with app.app_context():
        add_passkey(ann)
        accounts.remove_password(ann, PASSWORD)
        password_reset.follow(
            HERE, one_time_links.make(ann.id, "reset", "ann@example.com"), NEW_PASSWORD
        )
        assert authentication.authenticate(HERE, "ann", NEW_PASSWORD).id == ann.id
        assert len(rows(Factor)) == 1
        told = [entry.name for entry in rows(OutboxEntry)]
    assert [one for one in told if one.startswith("password")] == [
        "password_removed",
        "password_set",
    ]


def test_unconfirmed_account_keeps_it_where_mail_is_set_up(
    app: Flask, ann: Actor, mailbox: Mailbox
) -> None:
    """A mail to an unconfirmed address could not set a new password."""
    with app.app_context():
        add_factor(ann.id, "passkey")
        with pytest.raises(EmailUnconfirmed):
            accounts.remove_password(ann, PASSWORD)


@pytest.mark.usefixtures("ctx")
def test_account_without_a_password_is_no_open_invitation(ann: Actor) -> None:
    add_passkey(ann)
    assert not invitations.is_open(accounts.remove_password(ann, PASSWORD))


def test_password_and_last_passkey_do_not_both_go(app: Flask, make_person: MakePerson) -> None:
    for number in range(3):
        ann = make_person(f"ann-{number}")
        with app.app_context():
            factor = add_factor(ann.id, "passkey")
        calls = [
            lambda: accounts.remove_password(ann, PASSWORD),  # noqa: B023
            lambda: factors.remove(ann, factor, PASSWORD),  # noqa: B023
        ]
        split(race(app, calls), Conflict, Invalid)
        with app.app_context():
            assert hash_of(ann) or rows(Factor, user_id=ann.id)


def test_page_removes_it_and_sets_one_again(app: Flask, ann_browser: Browser, ann: Actor) -> None:
    assert "Remove password" not in ann_browser.get(PAGE).text
    with app.app_context():
        add_factor(ann.id, "passkey")
    assert "Remove password" in ann_browser.get(PAGE).text
    answer = ann_browser.post(f"{PAGE}/remove", {"current_password": "wrong"}, form=PAGE)
    assert answer.status_code == 422
    assert "This is not your password." in answer.text
    answer = ann_browser.post(f"{PAGE}/remove", {"current_password": PASSWORD}, form=PAGE)
    assert (answer.status_code, answer.location) == (303, PAGE)
    page = ann_browser.get(PAGE).text
    assert "Your account has no password" in page
    assert 'autocomplete="username" value="ann"' in page  # for the password manager
    assert ann_browser.post(PAGE, {"password": NEW_PASSWORD}, form=PAGE).location == PAGE
    assert Browser(app).sign_in("ann", NEW_PASSWORD).location == "/auth/two-factor"


def test_admin_who_removes_the_passkeys_is_told_that_a_password_is_missing(
    app: Flask, ann: Actor
) -> None:
    with app.app_context():
        add_passkey(ann)
        accounts.remove_password(ann, PASSWORD)
    result = app.test_cli_runner().invoke(args=["users", "reset-factors", "ann"])
    told = "ann has no password and cannot sign in: send a link that sets one.\n"
    assert (result.exit_code, result.output) == (0, told)
