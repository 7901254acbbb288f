"""Secrets in the database under a new SECRET_KEY: re-encrypted on use or by a command."""

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import String, select

from app import sql
from app.extensions import db
from app.models import WEBHOOKS, Factor, OutboxEntry, Webhook
from app.services.factors import factors, verification
from app.services.shared import encrypted_columns, encryption
from app.services.shared.actor import Actor
from app.services.webhooks import deliveries as webhook_deliveries, signing_secrets, webhooks
from app.worker import webhook_sender
from app.worker.loop import Worker
from tests.conftest import PASSWORD, MakeApp, MakePerson
from tests.support.factors import Phone, add_app, hold_clock, phone_of
from tests.support.keys import FIRST, SECOND, THIRD
from tests.support.rows import rows, set_values

FERNET = "gAAAA"  # the beginning of every value of Fernet
SECRET = WEBHOOKS.c.secret
URL = "https://hooks.example.com/tasks"


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    hold_clock(monkeypatch)


@pytest.fixture
def second(other_app: MakeApp) -> Flask:
    return other_app(SECRET_KEY=SECOND, SECRET_KEY_FALLBACKS=FIRST, WEBHOOK_ALLOW_PRIVATE="1")


@pytest.fixture
def third(other_app: MakeApp) -> Flask:
    return other_app(SECRET_KEY=THIRD, SECRET_KEY_FALLBACKS=SECOND, WEBHOOK_ALLOW_PRIVATE="1")


@pytest.fixture
def only_third(other_app: MakeApp) -> Flask:
    return other_app(SECRET_KEY=THIRD, WEBHOOK_ALLOW_PRIVATE="1")


def add_webhook(app: Flask, actor: Actor) -> tuple[str, str]:
    """Create a webhook, and return its id and its secret."""
    with app.app_context():
        webhook, secret = webhooks.create(actor, URL, ["task.created"])
        return webhook.id, secret


def rotate(app: Flask) -> Result:
    return app.test_cli_runner().invoke(args=["secrets", "rotate"])


def doctor(app: Flask) -> dict[str, str]:
    """Return the level and the text of the doctor's lines on secrets."""
    lines = app.test_cli_runner().invoke(args=["doctor"]).stdout.splitlines()
    found = [line.split(": ", 2) for line in lines]
    return {level: text for level, what, text in found if what == "stored secrets"}


def send(app: Flask, actor: Actor, webhook_id: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Deliver a test event without the network."""
    monkeypatch.setattr(webhook_sender, "post", lambda *_: 204)
    with app.app_context():
        webhook_deliveries.test(actor, webhook_id)
    return Worker(app, {"webhook": webhook_sender.send}, 1).run_once()


def outbox_errors(app: Flask) -> list[str]:
    with app.app_context():
        return [entry.error for entry in rows(OutboxEntry)]


def prove(app: Flask, actor: Actor, code: str) -> None:
    with app.app_context():
        verification.prove(Actor(), actor.id, code)


def test_secret_of_a_webhook_is_sealed_anew_by_a_delivery(
    app: Flask, second: Flask, other_app: MakeApp, ann: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhook_id, _ = add_webhook(app, ann)
    assert send(second, ann, webhook_id, monkeypatch) == 1
    later = other_app(SECRET_KEY=SECOND)
    assert send(later, ann, webhook_id, monkeypatch) == 1
    assert outbox_errors(app) == ["", ""]


def test_secret_of_an_authenticator_app_is_sealed_anew_by_a_right_code(
    app: Flask, second: Flask, other_app: MakeApp, ann: Actor
) -> None:
    phone = phone_of(app, ann)
    prove(second, ann, phone.code())
    prove(other_app(SECRET_KEY=SECOND), ann, phone.code(1))


def test_sealing_anew_leaves_the_version_of_a_webhook(
    app: Flask, second: Flask, ann: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhook_id, _ = add_webhook(app, ann)
    with app.app_context():
        (before,) = rows(Webhook)
    send(second, ann, webhook_id, monkeypatch)
    with app.app_context():
        (after,) = rows(Webhook)
    assert (after.version, after.updated_at) == (before.version, before.updated_at)
    assert after.secret != before.secret


def test_value_of_the_present_key_is_left_alone(second: Flask, ann: Actor) -> None:
    webhook_id, secret = add_webhook(second, ann)
    with second.app_context():
        sealed = rows(Webhook)[0].secret
        assert encrypted_columns.read(SECRET, webhook_id, sealed) == secret
        assert sql.request_connection().pooled is None, "a statement was sent"


def test_newer_secret_is_never_overwritten(app: Flask, second: Flask, ann: Actor) -> None:
    webhook_id, _ = add_webhook(app, ann)
    with app.app_context():
        (webhook,) = rows(Webhook)
    with second.app_context():
        newer = encryption.seal("whsec_newer")
        set_values(Webhook, webhook_id, secret=newer)
        encrypted_columns.read(SECRET, webhook_id, webhook.secret)
        assert rows(Webhook)[0].secret == newer


def test_command_seals_the_rest_anew_and_says_how_many(
    app: Flask, second: Flask, other_app: MakeApp, make_person: MakePerson
) -> None:
    people = [make_person(name) for name in ("ann", "bob", "eve")]
    phones = [phone_of(app, person) for person in people]
    for person in people[:2]:
        webhook_id, _ = add_webhook(app, person)
    with app.app_context():
        signing_secrets.rotate(people[1], webhook_id)
    result = rotate(second)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        "factors.secret: 3 re-encrypted, 0 up to date, 0 unreadable",
        "webhook_secrets.secret: 1 re-encrypted, 0 up to date, 0 unreadable",
        "webhooks.secret: 2 re-encrypted, 0 up to date, 0 unreadable",
    ]
    assert "3 up to date" in rotate(second).stdout
    later = other_app(SECRET_KEY=SECOND)
    for person, phone in zip(people, phones, strict=True):
        prove(later, person, phone.code())


def test_command_reads_on_past_a_full_page(
    app: Flask, second: Flask, ann: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encrypted_columns, "PAGE", 2)
    for _ in range(5):
        add_webhook(app, ann)
    assert "webhooks.secret: 5 re-encrypted" in rotate(second).stdout


def test_command_says_what_it_cannot_read(app: Flask, other_app: MakeApp, ann: Actor) -> None:
    phone = phone_of(app, ann)
    lost = other_app(SECRET_KEY=THIRD)
    result = rotate(lost)
    assert result.exit_code == 1
    assert "1 unreadable" in result.stdout
    assert "SECRET_KEY_FALLBACKS" in result.stderr
    prove(app, ann, phone.code())


def test_doctor_counts_what_is_under_an_earlier_key(
    app: Flask, second: Flask, third: Flask, ann: Actor
) -> None:
    phone_of(app, ann)
    add_webhook(second, ann)
    assert "1 of 2" in doctor(second)["warning"]
    assert "flask secrets rotate" in doctor(second)["warning"]
    assert "1 of 2" in doctor(third)["fault"]
    rotate(second)
    assert doctor(second) == {"ok": "all 2 are under SECRET_KEY"}


def test_webhook_whose_secret_cannot_be_read_says_so(
    app: Flask, only_third: Flask, ann: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhook_id, _ = add_webhook(app, ann)
    assert send(only_third, ann, webhook_id, monkeypatch) == 1
    (error,) = outbox_errors(app)
    assert "cannot decrypt" in error
    with app.app_context():
        assert rows(Webhook)[0].failing_since is None


def test_every_sealed_value_lies_in_a_column_that_says_so(app: Flask, ann: Actor) -> None:
    """Else the command and the doctor would not see the column."""
    phone_of(app, ann)
    webhook_id, _ = add_webhook(app, ann)
    found = set()
    with app.app_context():
        signing_secrets.rotate(ann, webhook_id)
    with app.app_context(), db.engine.connect() as connection:
        for table in db.metadata.sorted_tables:
            for column in (one for one in table.c if isinstance(one.type, String)):
                values = connection.scalars(select(column).where(column.is_not(None)))
                if any(str(value).startswith(FERNET) for value in values):
                    found.add(f"{table.name}.{column.name}")
    assert found == {column.name for column in encrypted_columns.all_columns()}


def test_keys_are_rotated_twice_while_the_service_is_used(
    app: Flask,
    second: Flask,
    third: Flask,
    only_third: Flask,
    make_person: MakePerson,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Codes and signatures stay valid, and an app that is set up meanwhile keeps its secret."""
    people = [make_person(name) for name in ("ann", "bob", "eve", "kim")]
    phones = {person: phone_of(app, person) for person in people}
    secrets = dict(add_webhook(app, person) for person in people)
    signed: list[str] = []
    sign = webhook_deliveries.sign

    def noted(by: list[str], *given: Any) -> dict[str, str]:
        signed.extend(by)
        return sign(by, *given)

    monkeypatch.setattr(webhook_deliveries, "sign", noted)
    monkeypatch.setattr(webhook_sender, "post", lambda *_: 204)

    for step, present in ((0, second), (1, third)):
        codes = {person.id: phones[person].code(step) for person in people[:2]}
        calls: list[Callable[[], Any]] = [
            *(column.rotate for column in encrypted_columns.all_columns()),
            *(partial(verification.prove, Actor(), *given) for given in codes.items()),
            *(partial(webhook_deliveries.test, *own) for own in zip(people, secrets, strict=True)),
            partial(renew_app, phones, people[2]),
        ]
        together(present, calls)
        Worker(present, {"webhook": webhook_sender.send}, 4).run_once()
        assert doctor(present) == {"ok": "all 8 are under SECRET_KEY"}

    assert set(signed) == set(secrets.values())
    assert len(signed) == 2 * len(secrets)
    assert outbox_errors(app) == [""] * len(signed)
    prove(only_third, people[2], phones[people[2]].code())
    prove(only_third, people[3], phones[people[3]].code())
    assert rotate(only_third).exit_code == 0


def renew_app(phones: dict[Actor, Phone], person: Actor) -> None:
    """Replace the authenticator app by another one."""
    (factor,) = rows(Factor, user_id=person.id)
    factors.remove(person, factor.id, PASSWORD)
    phones[person] = add_app(person)


def together(app: Flask, calls: list[Callable[[], Any]]) -> None:
    """Run the calls concurrently. Raises the first error."""
    faults: list[BaseException] = []

    def run(call: Callable[[], Any]) -> None:
        try:
            with app.app_context():
                call()
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
