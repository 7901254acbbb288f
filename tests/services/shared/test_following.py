"""A client that polls from the newest time stamp it has seen misses no change."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg2
import pytest
from flask import Flask

from app import sql
from app.models import clock
from app.services.shared.actor import Actor
from app.services.tasks import importing as task_import, tasks
from app.sql import atomic
from tests.conftest import MakeApp
from tests.support.clients import Api

START = "2020-01-01T00:00:00Z"
TASKS, TRAIL = "/tasks?sort=updated_at&limit=100&updated_after=", "/audit?limit=100&since="
WAIT = 10  # seconds; usually immediate
WRITERS, ROUNDS = 6, 40


class Follower:
    """A client that polls from the newest time stamp seen, and keeps all rows."""

    def __init__(self, api: Api, path: str, moment: str) -> None:
        self.api, self.path, self.moment = api, path, moment
        self.newest, self.seen = START, set[tuple[str, Any]]()

    def look(self) -> None:
        path = self.path + self.newest
        while True:
            page = self.api.get(path)
            assert page.status_code == 200, page.text
            for item in page.get_json()["items"]:
                self.newest = max(self.newest, item[self.moment])
                self.seen.add((item["id"], item.get("version")))
            cursor = page.get_json()["next_cursor"]
            if cursor is None:
                return
            path = f"{path.partition('&cursor=')[0]}&cursor={cursor}"


@contextmanager
def slow_write(app: Flask, actor: Actor, *, sent: bool) -> Iterator[list[str]]:
    """A transaction that has stamped a task and stays open during the block.

    The task is `sent` to the database at once, or only with the commit. Yields the tasks' ids.
    """
    stamped, end, ids = threading.Event(), threading.Event(), list[str]()

    @atomic
    def write() -> str:
        made: str = tasks.create(actor, {"title": "slow"}).id
        if sent:
            sql.request_connection().execute("SELECT 1").close()
        stamped.set()
        assert end.wait(WAIT)
        return made

    def run() -> None:
        with app.app_context():
            ids.append(write())

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run)
        assert stamped.wait(WAIT)
        try:
            yield ids
        finally:
            end.set()
        running.result()


@pytest.fixture
def on_postgres(app: Flask) -> None:
    if app.config["SQLALCHEMY_DATABASE_URI"].startswith("sqlite"):
        pytest.skip("SQLite has one writer at a time")


def make(app: Flask, actor: Actor, title: str = "quick") -> str:
    with app.app_context():
        made: str = tasks.create(actor, {"title": title}).id
    return made


def ids(follower: Follower) -> set[str]:
    return {found for found, _ in follower.seen}


@pytest.mark.usefixtures("on_postgres")
@pytest.mark.parametrize("sent", [True, False])
def test_write_that_ends_later_than_a_younger_one_is_not_missed(
    app: Flask, ann: Actor, ann_api: Api, sent: bool
) -> None:
    follower = Follower(ann_api, TASKS, "updated_at")
    with slow_write(app, ann, sent=sent) as slow:
        quick = make(app, ann)
        follower.look()
    follower.look()
    assert ids(follower) == {*slow, quick}


@pytest.mark.usefixtures("on_postgres")
@pytest.mark.parametrize("sent", [True, False])
def test_audit_event_of_a_slow_write_is_not_missed(
    app: Flask, ann: Actor, root_api: Api, sent: bool
) -> None:
    follower = Follower(root_api, TRAIL, "created_at")
    with slow_write(app, ann, sent=sent):
        make(app, ann)
        follower.look()
    follower.look()
    created = root_api.get("/audit?action=task.created").get_json()["items"]
    assert {event["id"] for event in created} <= ids(follower)
    assert len(created) == 2


def test_quiet_service_shows_a_change_at_once(app: Flask, ann: Actor, ann_api: Api) -> None:
    follower = Follower(ann_api, TASKS, "updated_at")
    for number in range(3):
        made = make(app, ann, str(number))
        follower.look()
        assert made in ids(follower)


@pytest.mark.usefixtures("on_postgres")
def test_other_lists_show_a_change_at_once_beside_a_slow_write(
    app: Flask, ann: Actor, ann_api: Api
) -> None:
    with slow_write(app, ann, sent=True):
        quick = make(app, ann)
        for query in ("", "?sort=updated_at", f"?updated_after={START}", "?sort=-updated_at"):
            found = ann_api.get(f"/tasks{query}").get_json()["items"]
            assert [task["id"] for task in found] == [quick]


@pytest.mark.usefixtures("on_postgres")
def test_idle_transaction_of_another_application_holds_nobody_back(
    app: Flask, ann: Actor, ann_api: Api
) -> None:
    url = app.config["SQLALCHEMY_DATABASE_URI"].replace("+psycopg2", "")
    follower = Follower(ann_api, TASKS, "updated_at")
    with closing(psycopg2.connect(url)) as other:
        cursor = other.cursor()
        cursor.execute("UPDATE users SET version = version WHERE username = 'nobody'")
        cursor.execute("CREATE TEMPORARY TABLE theirs (id int)")
        cursor.execute("SELECT pg_advisory_xact_lock(1)")
        made = make(app, ann)
        follower.look()
    assert ids(follower) == {made}


@pytest.mark.usefixtures("on_postgres")
def test_host_whose_clock_is_behind_writes_later_moments_than_were_seen(
    app: Flask, ann: Actor, ann_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower = Follower(ann_api, TASKS, "updated_at")
    first = make(app, ann)
    follower.look()
    monkeypatch.setattr(clock, "_utc", lambda: datetime.now(UTC) - timedelta(seconds=5))
    second = make(app, ann)
    follower.look()
    assert ids(follower) == {first, second}


@pytest.mark.usefixtures("on_postgres")
def test_write_that_followers_overtake_each_time_is_stored(
    app: Flask, ann: Actor, ann_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = app.config["SQLALCHEMY_DATABASE_URI"].replace("+psycopg2", "")
    follower = Follower(ann_api, TASKS, "updated_at")

    def stamped() -> datetime:
        """Return a time stamp that a follower passes before the stamp reaches the database."""
        moment = datetime.now(UTC)
        with closing(psycopg2.connect(url)) as other, other.cursor() as cursor:
            cursor.execute("SELECT follow_until(clock_timestamp())")
        return moment

    monkeypatch.setattr(clock, "_utc", stamped)
    made = make(app, ann)
    monkeypatch.undo()
    follower.look()
    assert ids(follower) == {made}


@pytest.mark.usefixtures("on_postgres")
def test_role_without_rights_on_tables_of_others_may_follow(app: Flask, ann: Actor) -> None:
    """deploy/postgres-roles.sql creates the role for the web containers."""
    make(app, ann)
    with app.app_context(), closing(sql.request_connection().engine.raw_connection()) as connection:
        cursor = connection.cursor()
        cursor.execute("CREATE ROLE reader; GRANT SELECT, UPDATE ON tasks TO reader")
        cursor.execute("SET LOCAL ROLE reader")
        cursor.execute("UPDATE tasks SET updated_at = clock_timestamp()")
        cursor.execute("SELECT follow_until(clock_timestamp())")
        (bound,) = cursor.fetchone() or (None,)
        assert bound
        assert bound < datetime.now(UTC)
        connection.rollback()


@pytest.mark.slow
def test_follower_misses_none_of_many_writes(other_app: MakeApp, ann: Actor, ann_api: Api) -> None:
    """Fast writers and two imports run while the follower polls without a pause."""
    wide = other_app(DATABASE_POOL_SIZE=str(WRITERS + 4), RATELIMIT_ENABLED="0")
    api = Api(wide, ann_api.token)
    follower, done = Follower(api, TASKS, "updated_at"), threading.Event()

    def write(number: int) -> None:
        with wide.app_context():
            for turn in range(ROUNDS):
                task = tasks.create(ann, {"title": f"{number} {turn}"})
                if turn % 3 == 0:
                    tasks.update(ann, task.id, {"description": "more"})

    def take_in() -> None:
        with wide.app_context():
            rows = [task_import.Row(line, {"title": str(line)}) for line in range(2, 1202)]
            task_import.import_tasks(ann, rows)

    def follow() -> None:
        while not done.is_set():
            follower.look()

    with ThreadPoolExecutor(WRITERS + 3) as pool:
        following_along = pool.submit(follow)
        writers = [pool.submit(write, number) for number in range(WRITERS)]
        writers += [pool.submit(take_in) for _ in range(2)]
        for running in writers:
            running.result()
        done.set()
        following_along.result()
    follower.look()
    now_there = {
        (task["id"], task["version"]) for task in every(api, "/tasks?limit=100&sort=created_at")
    }
    assert len(now_there) == WRITERS * ROUNDS + 2 * 1200
    assert len(now_there - follower.seen) == 0


def every(api: Api, path: str) -> Iterator[dict[str, Any]]:
    cursor = ""
    while cursor is not None:
        page = api.get(f"{path}&cursor={cursor}" if cursor else path).get_json()
        yield from page["items"]
        cursor = page["next_cursor"]
