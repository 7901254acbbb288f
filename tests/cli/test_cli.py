"""The commands for accounts and tokens."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from app import create_app
from app.models import Token
from app.models.types import now
from app.services.access import bearer_tokens
from app.services.accounts import password_reset
from app.services.authentication import authentication
from app.services.shared.actor import SYSTEM, Actor
from app.services.users import users
from tests.conftest import PASSWORD, MakePerson
from tests.support.databases import PostgresServer, close, make_app
from tests.support.mailbox import Mailbox
from tests.support.rows import events, rows


def run(app: Flask, *args: str, typed: str = "") -> Result:
    return app.test_cli_runner().invoke(args=list(args), input=typed)


def refused(result: Result, *words: str) -> bool:
    """Return True for exit status 1 and one line with all of `words`."""
    lines = result.stderr.strip().splitlines()
    found = len(lines) == 1 and all(word in lines[0] for word in words)
    return found and result.exit_code == 1 and isinstance(result.exception, SystemExit)


def create(app: Flask, *options: str, typed: str = PASSWORD) -> Result:
    args = ("users", "create", "ann@example.com", "ann", *options)
    return run(app, *args, typed=typed)


def test_create_prints_the_id_alone(app: Flask) -> None:
    result = create(app, "--password-stdin")
    with app.app_context():
        user = authentication.authenticate(SYSTEM, "ann", PASSWORD)
    assert (result.stdout, result.exit_code) == (f"{user.id}\n", 0)
    assert user.role == "user"


def test_create_can_make_an_admin(app: Flask) -> None:
    create(app, "--admin", "--password-stdin")
    with app.app_context():
        assert users.by_username("ann").role == "admin"


def test_create_reads_the_first_line_as_it_stands(app: Flask) -> None:
    create(app, "--password-stdin", typed="  plums and pears \r\nand more\n")
    with app.app_context():
        assert authentication.authenticate(SYSTEM, "ann", "  plums and pears ").username == "ann"


def test_create_asks_twice_and_shows_nothing_of_it(app: Flask) -> None:
    result = create(app, typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert result.exit_code == 0
    assert PASSWORD not in result.output


def test_create_is_refused_with_the_field_to_blame(app: Flask) -> None:
    assert refused(create(app, "--password-stdin", typed="short"), "password", "characters")
    create(app, "--password-stdin")
    assert refused(create(app, "--password-stdin"), "taken")


def test_command_stands_in_the_audit_trail_without_an_actor(app: Flask) -> None:
    create(app, "--password-stdin")
    with app.app_context():
        (event,) = events()
    assert (event.action, event.actor_id, event.address) == ("user.created", None, "")


@pytest.mark.parametrize("identifier", ["ann", "ANN@example.com", "id"])
def test_promote_finds_the_user_by_any_name(app: Flask, ann: Actor, identifier: str) -> None:
    result = run(app, "users", "promote", ann.id if identifier == "id" else identifier)
    assert (result.stdout, result.exit_code) == ("ann is an admin now.\n", 0)
    with app.app_context():
        assert users.by_username("ann").role == "admin"


def test_demote_takes_the_rights_away(app: Flask, root: Actor, make_person: MakePerson) -> None:
    make_person("second", "admin")
    assert run(app, "users", "demote", "root").exit_code == 0
    with app.app_context():
        assert users.by_username("root").role == "user"


@pytest.mark.parametrize("act", ["demote", "deactivate"])
def test_last_admin_stays(app: Flask, root: Actor, act: str) -> None:
    assert refused(run(app, "users", act, "root"), "last active admin")
    with app.app_context():
        user = users.by_username("root")
    assert (user.role, user.is_active) == ("admin", True)


def test_deactivate_and_activate(app: Flask, ann: Actor) -> None:
    run(app, "users", "deactivate", "ann")
    with app.app_context():
        assert not users.by_username("ann").is_active
    run(app, "users", "activate", "ann")
    with app.app_context():
        assert users.by_username("ann").is_active


@pytest.mark.parametrize("act", ["promote", "demote", "deactivate", "activate", "reset-password"])
def test_unknown_user_is_one_clear_line(app: Flask, act: str) -> None:
    assert refused(run(app, "users", act, "nobody"), "no user", "nobody")


def test_text_that_is_no_text_is_one_clear_line(app: Flask) -> None:
    assert refused(run(app, "users", "promote", "a\udcff"), "UTF-8")


def test_reset_password_prints_a_link_that_works_once(app: Flask, ann: Actor) -> None:
    link = run(app, "users", "reset-password", "ann").stdout.strip()
    base, _, secret = link.rpartition("/")
    assert base == f"{app.config['PUBLIC_URL']}/auth/reset"
    with app.app_context():
        password_reset.follow(Actor(), secret, "eleven apples in a bowl")
        assert not password_reset.is_live(secret)


def test_invite_prints_a_link_where_there_is_no_mail(app: Flask) -> None:
    link = run(app, "users", "invite", "dan@example.com", "dan", "--admin").stdout.strip()
    base, _, secret = link.rpartition("/")
    assert base == f"{app.config['PUBLIC_URL']}/auth/invite"
    with app.app_context():
        password_reset.follow(Actor(), secret, "eleven apples in a bowl")
        dan = authentication.authenticate(Actor(), "dan", "eleven apples in a bowl")
        told = [event.action for event in events() if event.actor_id is None]
    assert (dan.role, dan.email_verified) == ("admin", False)  # the link is shown, not mailed
    assert told == ["user.created", "user.invited"]


def test_invite_mails_the_link(app: Flask, mailbox: Mailbox) -> None:
    result = run(app, "users", "invite", "dan@example.com", "dan")
    assert result.stdout == "Invitation to dan@example.com queued.\n"
    secret = mailbox.secret("invite")
    with app.app_context():
        assert password_reset.is_live(secret)


@pytest.mark.parametrize(
    "names", [("nowhere", "dan"), ("dan@example.com", "d"), ("d@e.org", "ann")]
)
def test_invite_is_refused_in_one_line(app: Flask, ann: Actor, names: tuple[str, str]) -> None:
    assert refused(run(app, "users", "invite", *names))


@pytest.mark.parametrize(
    "scopes",
    [
        ("--scope", "tasks:write", "--scope", "tasks:read"),
        ("--scope", "tasks:read", "tasks:write"),
        ("--scope", "tasks:read tasks:write"),
    ],
)
def test_token_is_printed_alone_and_holds_its_scopes(
    app: Flask, ann: Actor, scopes: tuple[str, ...]
) -> None:
    result = run(app, "tokens", "create", "ann", "--name", "build", *scopes)
    with app.app_context():
        actor = bearer_tokens.identify(result.stdout.strip())
    assert actor.id == ann.id
    assert actor.scopes == {"tasks:read", "tasks:write"}


def test_token_ends_after_its_days(app: Flask, ann: Actor) -> None:
    run(app, "tokens", "create", "ann", "--name", "build", "--scope", "tasks:read", "--days", "3")
    with app.app_context():
        (event,) = events("token.created")
        (token,) = rows(Token)
    assert event.actor_id is None
    assert abs(token.expires_at - now() - timedelta(days=3)) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("--name", "x", "--scope", "tasks:fly"), "scopes"),
        (("--name", "x", "--scope", "admin"), "admin"),
        (("--name", " ", "--scope", "tasks:read"), "name"),
    ],
)
def test_token_is_refused_in_one_line(
    app: Flask, ann: Actor, options: tuple[str, ...], word: str
) -> None:
    assert refused(run(app, "tokens", "create", "ann", *options), word)


@pytest.mark.parametrize("days", ["0", "-1", "x", "99999999999"])
def test_days_are_a_sensible_number(app: Flask, ann: Actor, days: str) -> None:
    args = ("tokens", "create", "ann", "--name", "x", "--scope", "tasks:read", "--days", days)
    assert run(app, *args).exit_code == 2


COMMANDS = [
    ("users", "promote", "ann"),
    ("users", "create", "ann@example.com", "ann", "--password-stdin"),
    ("tokens", "create", "ann", "--name", "x", "--scope", "tasks:read"),
    ("seed-demo",),
]


@pytest.mark.parametrize("command", COMMANDS)
def test_missing_tables_are_one_clear_line(tmp_path: Path, command: tuple[str, ...]) -> None:
    app = make_app(f"sqlite:///{tmp_path / 'empty.db'}")
    assert refused(run(app, *command, typed=PASSWORD), "flask db upgrade")
    close(app)


def test_missing_tables_are_told_on_postgresql_too(postgres: PostgresServer) -> None:
    app = make_app(postgres.create("bare"))
    assert refused(run(app, "users", "promote", "ann"), "flask db upgrade")
    close(app)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("url", ["sqlite:////dev", "postgresql://127.0.0.1:1/none"])
def test_unreachable_database_is_one_clear_line(command: tuple[str, ...], url: str) -> None:
    app = make_app(url)
    assert refused(run(app, *command, typed=PASSWORD), "cannot be reached")
    close(app)


def test_flask_db_loads_flask_migrate_at_its_first_call(app: Flask) -> None:
    fresh = create_app(app.config)
    assert "migrate" not in fresh.extensions
    results = [
        run(fresh, "db", *line) for line in (["--help"], ["current"], ["-x", "a=b", "heads"])
    ]
    assert [(result.exit_code, result.stderr) for result in results] == [(0, "")] * 3
    assert "upgrade" in results[0].stdout
    close(fresh)


def test_start_imports_no_package_that_most_processes_never_use() -> None:
    costly = {"alembic", "authlib", "httpx", "joserfc", "redis", "webauthn"}
    asked = f"import sys, run; print(*{costly} & set(sys.modules))"
    command = [sys.executable, "-c", asked]
    assert subprocess.run(command, capture_output=True, check=True, text=True).stdout == "\n"
