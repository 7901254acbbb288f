"""`flask doctor`: its findings and its exit status."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from click.testing import Result
from flask import Flask
from sqlalchemy import text
from sqlalchemy.engine import make_url

import config
from app.doctor import outside
from app.extensions import db
from app.models import OutboxEntry
from app.models.types import now
from app.services.operations import database_checks
from app.services.outbox import outbox
from tests.conftest import MakeApp, MakePerson
from tests.server.test_probes import NOBODY_THERE
from tests.support.databases import Database, close, make_app
from tests.support.gunicorn_server import environ
from tests.support.openid_provider import Provider
from tests.support.redis_server import redis_server
from tests.support.rows import rows, set_values

PRODUCTION = {"APP_ENV": "production", "ALLOW_SQLITE": "1"}
HTTPS = {"PUBLIC_URL": "https://tasks.example.org", "PROXY_HOPS": "1"}


def run(app: Flask) -> Result:
    return app.test_cli_runner().invoke(args=["doctor"])


def said(app: Flask, level: str) -> dict[str, str]:
    """Return the lines of a level: text by subject."""
    lines = [line.split(": ", 2) for line in run(app).stdout.splitlines()]
    assert {line[0] for line in lines} <= {"ok", "warning", "fault"}
    return {line[1]: line[2] for line in lines if line[0] == level}


def test_healthy_service_has_no_fault(app: Flask, make_person: MakePerson) -> None:
    make_person("root", "admin")
    result = run(app)
    assert result.exit_code == 0
    assert set(said(app, "ok")) >= {"settings", "database", "migrations", "flask worker"}
    assert said(app, "warning") == {}


def test_warnings_alone_are_no_failure(app: Flask) -> None:
    assert run(app).exit_code == 0
    assert "no active admin" in said(app, "warning")["users"]


def test_database_that_is_away_is_a_fault() -> None:
    app = make_app(NOBODY_THERE)
    assert run(app).exit_code == 1
    assert "cannot be reached" in said(app, "fault")["database"]
    close(app)


def test_missing_tables_are_a_fault(tmp_path: Path) -> None:
    app = make_app(f"sqlite:///{tmp_path / 'empty.db'}")
    assert run(app).exit_code == 1
    found = said(app, "fault")["database"]
    assert "at revision none" in found
    assert "run flask db upgrade" in found
    close(app)


def test_faulty_settings_are_told_in_a_line_each() -> None:
    settings = environ(APP_ENV="production", SECRET_KEY="", WEB_THREADS="many", DATABASE_URL="")
    done = subprocess.run(
        [sys.executable, "-m", "flask", "doctor"],
        cwd=config.ROOT,
        env=settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert [line.split()[:3] for line in done.stderr.splitlines()] == [
        ["fault:", "settings:", name] for name in ("WEB_THREADS", "SECRET_KEY", "DATABASE_URL")
    ]


def test_production_is_held_to_more(other_app: MakeApp) -> None:
    warned = said(other_app(**PRODUCTION, METRICS_TOKEN="short"), "warning")
    assert {"PUBLIC_URL", "REDIS_URL", "METRICS_TOKEN", "database", "mail", "users"} <= set(warned)
    assert "SECURITY_CONTACT" in warned
    warned = said(other_app(**PRODUCTION, PUBLIC_URL=HTTPS["PUBLIC_URL"]), "warning")
    assert "PROXY_HOPS" in warned
    assert "PUBLIC_URL" not in warned
    assert "PROXY_HOPS" not in said(other_app(**PRODUCTION, **HTTPS), "warning")


def test_old_keys_and_open_doors_are_told(other_app: MakeApp) -> None:
    app = other_app(
        **PRODUCTION,
        SECRET_KEY_FALLBACKS="an-older-one",
        RATELIMIT_ENABLED="0",
        WEBHOOK_ALLOW_PRIVATE="1",
    )
    found = run(app).stdout
    for name in ("SECRET_KEY_FALLBACKS", "RATELIMIT_ENABLED", "WEBHOOK_ALLOW_PRIVATE"):
        assert f"warning: {name}: " in found
    assert "holds a key that is shorter than 32 bytes" in found
    assert "an-older-one" not in found
    assert app.config["SECRET_KEY"] not in found


def test_what_waits_for_a_worker_is_told(app: Flask) -> None:
    with app.app_context():
        for number in range(2):
            outbox.add("mail", "greeting", {"number": number})
        late, dead = rows(OutboxEntry)
        set_values(OutboxEntry, late.id, run_at=now() - timedelta(minutes=7))
        set_values(OutboxEntry, dead.id, status="dead")
    warned = said(app, "warning")
    assert "for 7 minutes" in warned["flask worker"]
    assert warned["outbox"].startswith("1 ")


def test_role_that_may_do_too_much_is_told(postgresql_database: Database) -> None:
    app = postgresql_database.app
    url = make_url(app.config["SQLALCHEMY_DATABASE_URI"])
    mighty = make_app(url.render_as_string(), **PRODUCTION, **HTTPS)
    assert "is a superuser and may create tables" in said(mighty, "warning")["database"]
    close(mighty)
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text("CREATE ROLE plain LOGIN"))
        connection.execute(text("GRANT USAGE ON SCHEMA public TO plain"))
        connection.execute(text("GRANT SELECT ON ALL TABLES IN SCHEMA public TO plain"))
    plain = make_app(url.set(username="plain").render_as_string(), **PRODUCTION, **HTTPS)
    try:
        assert "database" not in said(plain, "warning")
    finally:
        close(plain)
        with app.app_context(), db.engine.begin() as connection:
            connection.execute(text("DROP OWNED BY plain"))
            connection.execute(text("DROP ROLE plain"))


@pytest.mark.parametrize("app", ["postgresql"], indirect=True)
def test_clocks_apart_and_too_few_connections_are_told(
    other_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = other_app(WEB_CONCURRENCY="100")
    assert "may take 800 connections" in said(app, "warning")["database"]
    monkeypatch.setattr(database_checks, "now", lambda: now() + timedelta(minutes=2))
    assert "120 s apart" in run(app).stdout


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_full_disk_is_told(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type(shutil.disk_usage("/"))
    for free, level in ((2**20, "fault"), (500 * 2**20, "warning"), (2**34, "ok")):
        monkeypatch.setattr(shutil, "disk_usage", lambda _, n=free: usage(n, 0, n))
        assert "are free on its disk" in said(app, level)["database"]


@pytest.mark.parametrize("limited", ["1", "0"])
def test_redis_that_does_not_answer_is_a_fault(other_app: MakeApp, limited: str) -> None:
    app = other_app(REDIS_URL="redis://user:plums@127.0.0.1:1/0", RATELIMIT_ENABLED=limited)
    result = run(app)
    assert result.exit_code == 1
    assert "fault: Redis: does not answer" in result.stdout
    assert "plums" not in result.stdout


def test_redis_that_answers_is_told(other_app: MakeApp) -> None:
    with redis_server() as server:
        assert "answers" in said(other_app(REDIS_URL=server.url), "ok")["Redis"]


@contextmanager
def mail_server(password: bytes) -> Iterator[int]:
    """Run a mail server for the user "mailer" with this password."""

    def authenticate(_server: Any, _session: Any, _envelope: Any, _way: str, given: Any) -> Any:
        return AuthResult(success=(given.login, given.password) == (b"mailer", password))

    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    controller = Controller(
        object(), "127.0.0.1", port, authenticator=authenticate, auth_require_tls=False
    )
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


def test_mail_server_is_greeted_and_signed_in_at(other_app: MakeApp) -> None:
    with mail_server(b"pl@ms") as port:
        good = other_app(MAIL_URL=f"smtp://mailer:pl%40ms@127.0.0.1:{port}")
        assert "accepts mails" in said(good, "ok")["mail"]
        wrong = run(other_app(MAIL_URL=f"smtp://mailer:pears@127.0.0.1:{port}"))
        assert "fault: mail: ...@127.0.0.1" in wrong.stdout
        assert "pears" not in wrong.stdout
        plain = other_app(MAIL_URL=f"smtp://127.0.0.1:{port}?starttls=1")
        assert "STARTTLS" in said(plain, "fault")["mail"]


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_mail_server_that_is_away_is_a_fault(
    other_app: MakeApp, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    monkeypatch.setattr(outside, "PATIENCE", 0.5)
    app = other_app(MAIL_URL=f"{scheme}://127.0.0.1:1")
    assert run(app).exit_code == 1
    assert "refused" in said(app, "fault")["mail"]


def test_folder_for_mails_must_be_writable(
    other_app: MakeApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = other_app(MAIL_URL=f"file:{tmp_path}")
    assert "mail" not in said(app, "fault")
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert "not writable" in said(app, "fault")["mail"]


def test_openid_provider_is_asked_who_it_is(app: Flask, provider: Provider) -> None:
    assert said(app, "ok")["OpenID Orchard"] == f"{provider.issuer} answers"


def test_openid_provider_that_is_another_is_a_fault(app: Flask, provider: Provider) -> None:
    provider.description = {"issuer": "https://other.example"}
    assert "https://other.example" in said(app, "fault")["OpenID Orchard"]
