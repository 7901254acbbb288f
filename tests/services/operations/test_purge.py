"""`flask purge` deletes expired rows, and nothing else."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, insert, select

from app.extensions import db
from app.models import (
    AuditEvent,
    Comment,
    EmailChange,
    IdempotencyRecord,
    OneTimeLink,
    OutboxEntry,
    Session,
    SignInAttempt,
    SpentChallenge,
    Task,
    Token,
    UnsentForm,
    WebhookSecret,
)
from app.models.base import Base
from app.models.one_time_link import LIFE
from app.models.types import now, uuid7
from app.services.access import bearer_tokens, token_pairs
from app.services.accounts import unsent_forms
from app.services.authentication import one_time_links
from app.services.operations import purge
from app.services.outbox import outbox
from app.services.shared import idempotency, throttle
from app.services.shared.actor import Actor
from app.services.shared.idempotency import Answer
from app.services.tasks import comments, tasks
from app.services.webhooks import signing_secrets, webhooks
from tests.conftest import PASSWORD
from tests.services.factors.test_passkeys_service import add as add_passkey
from tests.support.page_sessions import start_session
from tests.support.rows import age, events, rows

KINDS = {
    "tokens": Token,
    "links": OneTimeLink,
    "changes of an address": EmailChange,
    "unsent forms": UnsentForm,
    "sessions": Session,
    "earlier secrets of webhooks": WebhookSecret,
    "idempotency records": IdempotencyRecord,
    "sign-in attempts": SignInAttempt,
    "used challenges of passkeys": SpentChallenge,
    "sent mails and webhooks": OutboxEntry,
    "tasks in the trash": Task,
    "audit events": AuditEvent,
}
Make = Callable[[Actor], object]


def run(app: Flask) -> dict[str, int]:
    """Run the command, and return its numbers of deleted rows by kind."""
    result = app.test_cli_runner().invoke(args=["purge"])
    assert result.exit_code == 0, result.output
    told = (line.partition(" ") for line in result.output.splitlines())
    return {kind: int(number) for number, _, kind in told}


def number(model: type[Base]) -> int:
    with db.engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(model.__table__)).scalar_one()


def keep_answer(actor: Actor) -> None:
    idempotency.run_once(actor, uuid7(), "fingerprint", lambda: Answer(201, {}, "{}"))


def send(_actor: Actor) -> None:
    outbox.add("mail", "reset", {"to": "ann@example.com"})
    (entry,) = outbox.claim(1)
    outbox.done(entry)


def trash(actor: Actor) -> None:
    tasks.delete(actor, tasks.create(actor, {"title": "x"}).id)


def rotate_secret(actor: Actor) -> None:
    webhook, _ = webhooks.create(actor, "https://1.1.1.1/", ["task.created"])
    signing_secrets.rotate(actor, webhook.id)


def use_passkey(actor: Actor) -> None:
    add_passkey(actor)


def sign_in(actor: Actor, remember: bool) -> str:
    return start_session("ann", remember=remember)


# The kept rows, their column of time, and how long they are kept.
LIVES: dict[str, tuple[Make, type[Base], str, timedelta]] = {
    "access": (
        lambda ann: bearer_tokens.add("access", ann.id, family_id=uuid7(), expires_at=now()),
        Token,
        "expires_at",
        timedelta(0),
    ),
    "link": (
        lambda ann: one_time_links.make(ann.id, "reset", ""),
        OneTimeLink,
        "expires_at",
        LIFE["reset"],
    ),
    "mail": (send, OutboxEntry, "finished_at", timedelta(days=30)),
    "form": (
        lambda ann: unsent_forms.keep(ann.id, "/tasks/new", [("title", "x")]),
        UnsentForm,
        "expires_at",
        timedelta(hours=24),
    ),
    "session": (lambda ann: sign_in(ann, False), Session, "expires_at", timedelta(hours=24)),
    "remembered": (lambda ann: sign_in(ann, True), Session, "expires_at", timedelta(days=30)),
    "secret": (rotate_secret, WebhookSecret, "expires_at", timedelta(hours=24)),
    "answer": (keep_answer, IdempotencyRecord, "created_at", timedelta(hours=24)),
    "attempt": (
        lambda _ann: throttle.settle("x", "192.0.2.1", succeeded=False),
        SignInAttempt,
        "created_at",
        timedelta(days=90),
    ),
    "challenge": (use_passkey, SpentChallenge, "expires_at", timedelta(hours=1)),
    "trash": (trash, Task, "deleted_at", timedelta(days=30)),
}


def pass_time(model: type[Base], column: str, by: timedelta) -> None:
    if model is not IdempotencyRecord:
        age(model, column, by)
        return
    table: Any = model.__table__
    with db.engine.begin() as connection:
        for row in connection.execute(select(table)).all():
            old = table.update().where(table.c.key == row.key)
            connection.execute(old.values(created_at=row.created_at - by))


@pytest.mark.parametrize("kind", LIVES)
def test_each_goes_when_its_time_is_over_and_not_before(app: Flask, ann: Actor, kind: str) -> None:
    make, model, column, life = LIVES[kind]
    minute = timedelta(minutes=1)
    with app.app_context():
        make(ann)
        before = number(model)
        pass_time(model, column, life - minute)
    run(app)
    with app.app_context():
        assert number(model) == before
        pass_time(model, column, 2 * minute)
    removed = run(app)
    with app.app_context():
        assert number(model) == 0
    assert removed[next(name for name in KINDS if KINDS[name] is model)] == before


def test_nothing_that_lives_is_removed(app: Flask, ann: Actor) -> None:
    with app.app_context():
        for make, *_ in LIVES.values():
            make(ann)
        age(Token, "expires_at", -timedelta(minutes=1))
        tasks.create(ann, {"title": "old"})
        bearer_tokens.add("personal", ann.id, family_id=uuid7())  # without an expiry
        age(Task, "created_at", timedelta(days=400))
    assert run(app) == dict.fromkeys(KINDS, 0)


def test_command_tells_how_many_of_each_kind(app: Flask) -> None:
    assert run(app) == dict.fromkeys(KINDS, 0)


def test_second_run_finds_nothing(app: Flask, ann: Actor) -> None:
    with app.app_context():
        trash(ann)
        age(Task, "deleted_at", timedelta(days=31))
    assert [run(app)["tasks in the trash"] for _ in range(2)] == [1, 0]


def test_comments_go_with_their_task_and_its_history_stays(app: Flask, ann: Actor) -> None:
    with app.app_context():
        task = tasks.create(ann, {"title": "x"})
        comments.create(ann, task.id, "Ripe.")
        tasks.delete(ann, task.id)
        age(Task, "deleted_at", timedelta(days=31))
    run(app)
    with app.app_context():
        assert (rows(Task), rows(Comment)) == ([], [])
        told = [event.action for event in sorted(events(), key=lambda event: event.created_at)]
        (purged,) = events("task.purged")
    told.remove("audit.cleaned")
    assert told[-4:] == ["task.created", "comment.created", "task.deleted", "task.purged"]
    assert (purged.actor_id, purged.target_id) == (None, task.id)


def test_task_whose_end_cannot_be_told_stays(
    app: Flask, ann: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        trash(ann)
        age(Task, "deleted_at", timedelta(days=31))
        monkeypatch.setattr("app.services.shared.audit._insert", None)
        with pytest.raises(AttributeError):
            purge.purge()
        assert number(Task) == 1


def test_spent_refresh_token_is_kept_while_it_could_still_be_used(app: Flask, ann: Actor) -> None:
    """Else a second use would not be detected as a possible theft."""
    with app.app_context():
        pair = token_pairs.sign_in(Actor(), "ann", PASSWORD)
        token_pairs.refresh(Actor(), pair.refresh_token)
        age(Token, "spent_at", timedelta(days=20))
    run(app)
    with app.app_context():
        assert [token.kind for token in rows(Token) if token.spent_at] == ["refresh"]


def test_many_rows_are_removed_in_one_run(app: Flask, ann: Actor) -> None:
    gone = {"account": "x", "address": "192.0.2.1", "succeeded": False}
    old = now() - timedelta(days=91)
    with app.app_context(), db.engine.begin() as connection:
        made = [{**gone, "id": uuid7(), "created_at": old} for _ in range(5_000)]
        connection.execute(insert(SignInAttempt), made)
    assert run(app)["sign-in attempts"] == 5_000
