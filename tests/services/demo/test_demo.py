"""The demo data, and the command that creates it."""

import random
import re
import stat
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from app.models import AuditEvent, Task, User
from app.models.task import PRIORITIES, STATUSES
from app.models.types import now
from app.services.authentication import authentication
from app.services.demo import history as demo_deeds, seed as demo, tasks as demo_tasks
from app.services.shared.actor import Actor, scopes_of
from app.services.tasks import stats as task_stats
from app.services.users import users
from tests.conftest import MakePerson
from tests.support.databases import close, make_app, migrate
from tests.support.rows import events, rows

SIGN_IN = re.compile(r"^ +(\S+) +(\S+@example\.com) +(\S+)$", re.MULTILINE)


def seed(app: Flask, *options: str) -> Result:
    return app.test_cli_runner().invoke(args=["seed-demo", *options])


@pytest.fixture
def seeded(ctx: None) -> list[demo.SignIn]:
    return demo.seed()


def lives(moment: datetime) -> list[tuple[dict[str, Any], list[demo_deeds.Deed]]]:
    return list(demo_tasks.lives(random.Random(demo.SEED), moment, ["a", "b", "c"]))


def test_people_are_an_admin_and_some_users(seeded: list[demo.SignIn]) -> None:
    people = rows(User)
    roles = Counter(user.role for user in people)
    assert (roles["admin"], roles["user"]) == (1, 5)
    assert [user.username for user in people if not user.is_active] == ["ellen.vance"]


def test_who_is_told_can_sign_in(seeded: list[demo.SignIn]) -> None:
    found = [authentication.authenticate(Actor(), who.email, who.password).role for who in seeded]
    assert found == ["admin", "user"]


def test_passwords_are_others_each_time() -> None:
    made = {demo._newcomer(name).password for name in demo.PEOPLE for _ in range(10)}
    assert len(made) == 10 * len(demo.PEOPLE)


def test_tasks_are_of_every_kind(seeded: list[demo.SignIn]) -> None:
    tasks = rows(Task)
    assert 180 <= len(tasks) <= 220
    assert {task.status for task in tasks} == set(STATUSES)
    assert {task.priority for task in tasks} == set(PRIORITIES)
    assert len({task.title for task in tasks}) == len(tasks)
    assert 5 < sum(task.deleted_at is not None for task in tasks) < 40
    assert 30 < sum(task.assignee_id is not None for task in tasks) < 100


def test_tasks_are_due_before_and_after_now(seeded: list[demo.SignIn]) -> None:
    moment = now()
    open_ = [t.due_at for t in rows(Task) if t.due_at and t.status in ("todo", "in_progress")]
    assert any(due < moment for due in open_)
    assert any(due > moment for due in open_)


def test_tasks_spread_over_sixty_days(seeded: list[demo.SignIn]) -> None:
    admin_id = users.by_username("admin").id
    admin = Actor(id=admin_id, role="admin", scopes=scopes_of("admin"))
    days = task_stats.overview(admin, 60, everyone=True)["days"]
    assert sum(day["created"] > 0 for day in days) > 35
    assert sum(day["completed"] > 0 for day in days) > 30


def test_nothing_lies_in_the_future(seeded: list[demo.SignIn]) -> None:
    moment = now()
    for task in rows(Task):
        assert task.created_at <= task.updated_at <= moment
        assert task.completed_at is None or task.created_at < task.completed_at <= moment
    assert all(event.created_at <= moment for event in events())


def test_audit_trail_tells_the_life_of_each_task(seeded: list[demo.SignIn]) -> None:
    for task in rows(Task):
        told = sorted(rows(AuditEvent, target_id=task.id), key=lambda event: event.created_at)
        assert told[0].action == "task.created"
        assert told[0].created_at == task.created_at
        assert told[-1].created_at == task.updated_at
        assert len(told) == task.version


def test_last_change_of_status_is_the_status(seeded: list[demo.SignIn]) -> None:
    for task in rows(Task):
        told = sorted(rows(AuditEvent, target_id=task.id), key=lambda event: event.created_at)
        turns = [event.changes["status"] for event in told if "status" in event.changes]
        assert ([None, "todo"], *turns)[-1][1] == task.status


def test_some_sign_ins_are_refused(seeded: list[demo.SignIn]) -> None:
    assert len(events("session.created")) > 100
    assert 10 < len(events("session.refused")) < 60


def test_content_is_the_same_each_time() -> None:
    moment = datetime(2026, 11, 20, 12, tzinfo=UTC)
    first, second = lives(moment), lives(moment)
    shown = ("title", "status", "priority", "due_at", "owner_id", "assignee_id", "updated_at")
    assert [[task[name] for name in shown] for task, _ in first] == [
        [task[name] for name in shown] for task, _ in second
    ]


@pytest.mark.parametrize("hour", [0, 3, 8, 12, 23])
@pytest.mark.parametrize("day", range(14, 21))
def test_it_holds_together_at_any_hour(day: int, hour: int) -> None:
    moment = datetime(2026, 11, day, hour, 1, tzinfo=UTC)
    for task, deeds in lives(moment):
        assert moment - timedelta(days=demo_deeds.DAYS + 2) < task["created_at"] < moment
        assert max(deed.moment for deed in deeds) < moment
    visits = demo_deeds.visits(random.Random(demo.SEED), moment, ["a", "b"])
    assert all(visit.moment < moment for visit in visits)


def test_command_tells_where_and_how_to_sign_in(app: Flask) -> None:
    result = seed(app)
    assert app.config["PUBLIC_URL"] in result.output
    assert [found[0] for found in SIGN_IN.findall(result.output)] == ["admin", "maya.okafor"]
    with app.app_context():
        for username, _, password in SIGN_IN.findall(result.output):
            assert authentication.authenticate(Actor(), username, password).username == username


def test_command_refuses_a_database_with_users(app: Flask, ann: Actor) -> None:
    result = seed(app)
    assert result.exit_code == 1
    assert "has users" in result.stderr
    with app.app_context():
        assert len(rows(User)) == 1


def test_command_may_be_told_to_leave_such_a_database_alone(
    app: Flask, make_person: MakePerson
) -> None:
    make_person("ann")
    result = seed(app, "--if-empty")
    assert result.exit_code == 0
    assert app.config["PUBLIC_URL"] in result.output
    assert not SIGN_IN.search(result.output)
    with app.app_context():
        assert (len(rows(User)), len(rows(Task))) == (1, 0)


@pytest.mark.parametrize(("options", "status"), [((), 1), (("--if-empty",), 0)])
def test_only_one_of_two_commands_fills_the_empty_database(
    app: Flask,
    ann: Actor,
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
    status: int,
) -> None:
    monkeypatch.setattr(users, "is_empty", lambda: True)
    monkeypatch.setattr(demo, "PEOPLE", ("admin", "ann", "ellen.vance"))
    result = seed(app, *options)
    assert result.exit_code == status
    assert ("Somebody else" in result.stderr) == (status == 1)
    with app.app_context():
        assert [user.username for user in rows(User)] == ["ann"]


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[Flask]:
    """An app on the database of a fresh checkout."""
    app = make_app(f"sqlite:///{tmp_path / 'service.db'}")
    app.instance_path = str(tmp_path)
    migrate(app)
    yield app
    close(app)


def test_embedded_database_keeps_the_sign_in_for_its_owner_alone(
    embedded: Flask, tmp_path: Path
) -> None:
    told = SIGN_IN.findall(seed(embedded, "--if-empty").output)
    kept = tmp_path / "demo_sign_in.txt"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert SIGN_IN.findall(kept.read_text()) == told


def test_embedded_database_reminds_of_the_sign_in_at_every_start(
    embedded: Flask, tmp_path: Path
) -> None:
    first = seed(embedded, "--if-empty").output
    again = seed(embedded, "--if-empty").output
    assert SIGN_IN.findall(again) == SIGN_IN.findall(first)
    assert "demo_sign_in.txt" in again
    (tmp_path / "demo_sign_in.txt").unlink()
    assert not SIGN_IN.search(seed(embedded, "--if-empty").output)
