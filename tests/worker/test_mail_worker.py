"""Mails by a `flask worker` process that is killed or stopped, or whose server hangs."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

import config
from app.extensions import db
from app.models import OUTBOX_ENTRIES, OutboxEntry
from app.models.types import now
from app.services.accounts import password_reset
from app.services.outbox import mails
from app.services.shared.actor import SYSTEM, Actor
from app.services.users import users
from app.worker import mail_transports
from tests.support.clients import Api
from tests.support.mailbox import mail_to, send_due
from tests.support.rows import rows
from tests.support.smtp import Post, hanging, post

PATIENCE = 30  # seconds; one or two are usual
THREADS = 4
KILLS = int(os.environ.get("WORKER_KILLS", "3"))
SENT_BETWEEN = 10
NOTICES, RESETS = 16 * KILLS, 5 * KILLS  # half of them while workers are killed


@contextmanager
def worker(app: Flask, server: Post, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    environ = {
        **os.environ,
        "APP_ENV": "testing",
        "SECRET_KEY": app.config["SECRET_KEY"],
        "DATABASE_URL": app.config["SQLALCHEMY_DATABASE_URI"],
        "MAIL_URL": server.url,
        "WORKER_THREADS": str(THREADS),
        "LOG_LEVEL": "INFO",
    }
    command = [sys.executable, "-m", "flask", "worker"]
    with log.open("ab") as file:
        process = subprocess.Popen(command, cwd=config.ROOT, env=environ, stderr=file)
    try:
        yield process
    finally:
        process.kill()
        process.wait(PATIENCE)


def until(condition: Callable[[], object]) -> None:
    ends = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < ends, "it took too long"
        time.sleep(0.01)


def put(app: Flask, ann: Actor, notices: int, resets: int = 0) -> None:
    """Store due mails, one commit each, as requests do."""
    with app.app_context(), mail_to(app, "console:"):
        user = users.get(SYSTEM, ann.id)
        for number in range(notices):
            mails.notify(ann, user, "password_changed")
            if number < resets:
                password_reset.mail_link(SYSTEM, user)


def end_leases(app: Flask) -> None:
    """End all leases, as if LEASE had passed since a worker was killed."""
    entries: Any = OUTBOX_ENTRIES
    with app.app_context(), db.engine.begin() as connection:
        left = update(entries).where(entries.c.status == "pending")
        connection.execute(left.values(run_at=now() - timedelta(seconds=1)))


@pytest.mark.slow
def test_kill_9_in_the_middle_loses_no_mail(app: Flask, ann: Actor, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with post() as server:
        put(app, ann, NOTICES // 2)
        busy = threading.Thread(target=put, args=(app, ann, NOTICES // 2, RESETS))
        busy.start()
        for _ in range(KILLS):
            server.quota = len(server.mails) + SENT_BETWEEN
            with worker(app, server, log) as process:
                until(lambda: len(server.mails) >= server.quota)
                process.kill()
                assert process.wait(PATIENCE) == -signal.SIGKILL
            end_leases(app)
        busy.join()
        server.quota = sys.maxsize
        with worker(app, server, log) as process:
            until(lambda: len(set(server.ids)) == NOTICES + RESETS)
            process.terminate()
            assert process.wait(PATIENCE) == 0
        with app.app_context():
            ids = {entry.id for entry in rows(OutboxEntry, status="done")}
    assert {name.strip("<>").partition("@")[0] for name in server.ids} == ids
    assert len(ids) == NOTICES + RESETS
    # Mails without the server's answer at the kill arrive twice.
    assert KILLS <= len(server.ids) - len(ids) <= KILLS * THREADS
    assert "fst_" not in log.read_text()


@pytest.mark.slow
def test_sigterm_lets_what_is_being_sent_end_and_begins_nothing(
    app: Flask, ann: Actor, tmp_path: Path
) -> None:
    put(app, ann, 3 * THREADS)
    with post() as server, worker(app, server, tmp_path / "log") as process:
        server.quota = 1
        until(lambda: len(server.mails) == THREADS)
        process.terminate()
        time.sleep(0.2)
        assert process.poll() is None
        server.quota = sys.maxsize
        assert process.wait(PATIENCE) == 0
    with app.app_context():
        found = [(entry.status, entry.attempts) for entry in rows(OutboxEntry)]
    assert found.count(("done", 1)) == THREADS
    assert found.count(("pending", 0)) == 2 * THREADS
    assert len(server.mails) == THREADS


def test_mail_server_that_hangs_holds_up_nobody_and_the_mail_comes_later(
    app: Flask, ann: Actor, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail_transports, "TIMEOUT", 0.2)
    with hanging() as hung:
        with mail_to(app, hung.url):
            assert api.post("/auth/forgot", {"email": "ann@example.com"}).status_code == 202
            assert not hung.was_asked()  # the request connects to no mail server
            assert send_due(app) == 1
        assert hung.was_asked()
    with app.app_context():
        (entry,) = rows(OutboxEntry)
        assert (entry.status, entry.attempts) == ("pending", 1)
        assert "timed out" in entry.error
    end_leases(app)
    with post() as server, mail_to(app, server.url):
        assert send_due(app) == 1
    assert [mail["To"] for mail in server.mails] == ["ann@example.com"]


@pytest.mark.parametrize(("answer", "status"), [("550 No", "dead"), ("450 Later", "pending")])
def test_refused_mail_is_given_up_or_tried_again(
    app: Flask, ann: Actor, answer: str, status: str
) -> None:
    put(app, ann, 1)
    with post() as server, mail_to(app, server.url):
        server.answers["ann@example.com"] = answer
        send_due(app)
    with app.app_context():
        (entry,) = rows(OutboxEntry)
    assert (entry.status, entry.response_status) == (status, int(answer[:3]))
    assert answer[4:] in entry.error
