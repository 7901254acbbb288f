"""The fixtures of all tests: an empty app on either database; Ann, who owns, Bob, the stranger,
and root, the admin; and a client of the API and of the pages for each.

Services need an app context: `ctx` keeps one open throughout a test, `within(app)` opens a short
one. The clients refuse to work inside a context (tests/support/clients.py).
"""

import os
import sys
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from itertools import compress
from pathlib import Path
from types import ModuleType

import pytest
from argon2 import PasswordHasher
from flask import Flask
from hypothesis import HealthCheck, settings

from app.models.types import now
from app.services.access import token_pairs
from app.services.shared.actor import SYSTEM, Actor, scopes_of
from app.services.users import passwords, registration
from tests.support import leaks, openid_provider
from tests.support.clients import Api, Browser
from tests.support.databases import (
    Database,
    PostgresDatabase,
    PostgresServer,
    SqliteDatabase,
    close,
    make_app,
    postgres_server,
)
from tests.support.live import served
from tests.support.mailbox import Mailbox, mail_to

PASSWORD = "seven plums and a pear"
PRODUCT_HASHER = passwords.Hashing.hasher
passwords.Hashing.hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
# A test by Hypothesis empties the tables itself before each example.
settings.register_profile(
    "suite",
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
settings.load_profile("suite")
leaks.listen()
# A module with one of these names starts servers or many threads.
STARTERS = {"tests.support.races", "tests.support.gunicorn_server", "tests.support.redis_server"}
MakeApp = Callable[..., Flask]
BuildApp = Callable[[str], Flask]  # with the URL of its database
KeepApp = Callable[[BuildApp], Flask]
MakePerson = Callable[..., Actor]


@pytest.fixture(scope="session", autouse=True)
def no_secret_is_logged() -> Iterator[None]:
    """Search all logs of the run for secrets at its end."""
    leaks.passwords.add(PASSWORD)
    yield
    found = leaks.found(leaks.lines)
    assert found == [], f"{len(found)} of {len(leaks.lines)} lines hold a secret"


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A real PostgreSQL. Without one the test is skipped; on CI it fails."""
    running = postgres_server()
    try:
        server = running.__enter__()
    except Exception as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"PostgreSQL cannot be started: {error}")
    yield server
    running.__exit__(None, None, None)


@pytest.fixture(scope="session")
def sqlite_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = SqliteDatabase(tmp_path_factory.mktemp("sqlite") / "test.db")
    yield database
    close(database.app)


@pytest.fixture(scope="session")
def postgresql_database(postgres: PostgresServer) -> Iterator[Database]:
    database = PostgresDatabase(make_app(postgres.create("main")))
    yield database
    close(database.app)


@pytest.fixture(params=["sqlite"] if "--fast" in sys.argv else ["sqlite", "postgresql"])
def app(request: pytest.FixtureRequest) -> Flask:
    """The app of the whole run, on empty tables. Change its settings by monkeypatch."""
    database: Database = request.getfixturevalue(f"{request.param}_database")
    database.empty()
    database.app.extensions["limiter"].local.ends = 0.0  # requests of earlier tests do not count
    return database.app


@pytest.fixture
def postgres_app(request: pytest.FixtureRequest) -> Flask:
    """The app on PostgreSQL alone, with an empty pool."""
    database: Database = request.getfixturevalue("postgresql_database")
    database.empty()
    close(database.app)  # so that no idle connection replaces one that a test cuts
    return database.app


@pytest.fixture
def other_app(app: Flask) -> Iterator[MakeApp]:
    """A function that makes further apps on the same database, with other settings."""
    made = []

    def make(**settings: str) -> Flask:
        made.append(make_app(app.config["SQLALCHEMY_DATABASE_URI"], **settings))
        return made[-1]

    yield make
    for other in made:
        close(other)


@cache
def _kept(build: BuildApp, url: str) -> Flask:
    return build(url)


@pytest.fixture
def kept_app(app: Flask) -> Iterator[KeepApp]:
    """A function that returns the app which `build` makes on the same database.

    All tests of the run get the same app from the same `build`, because making one costs as much as
    fifty requests.
    """
    used = []

    def keep(build: BuildApp) -> Flask:
        used.append(_kept(build, app.config["SQLALCHEMY_DATABASE_URI"]))
        used[-1].extensions["limiter"].local.ends = 0.0
        return used[-1]

    yield keep
    for other in used:
        close(other)


@pytest.fixture
def ctx(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


@pytest.fixture
def make_person(app: Flask) -> MakePerson:
    """A function that makes an account with PASSWORD and the address <username>@example.com."""

    def make(username: str, role: str = "user") -> Actor:
        with app.app_context():
            user = registration.register(SYSTEM, username, email_of(username), PASSWORD, role)
        return Actor(
            id=user.id,
            username=username,
            role=role,
            scopes=scopes_of(role),
            signed_in_at=now(),
            address="192.0.2.1",
            request_id="of-the-test",
        )

    return make


@pytest.fixture(scope="session")
def openid_server() -> Iterator[openid_provider.Provider]:
    server = openid_provider.Provider()
    with served(server.app) as port:
        server.issuer = f"http://127.0.0.1:{port}"
        yield server


@pytest.fixture
def provider(
    openid_server: openid_provider.Provider, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> openid_provider.Provider:
    """An OpenID provider for signing in to the app during the test."""
    openid_server.reset()
    client = openid_provider.client_of(openid_server.issuer)
    openid_provider.configure(app, monkeypatch, client)
    return openid_server


@pytest.fixture
def ann(make_person: MakePerson) -> Actor:
    return make_person("ann")


@pytest.fixture
def bob(make_person: MakePerson) -> Actor:
    return make_person("bob")


@pytest.fixture
def root(make_person: MakePerson) -> Actor:
    return make_person("root", "admin")


@pytest.fixture
def mailbox(app: Flask, tmp_path: Path) -> Iterator[Mailbox]:
    """A mailbox of all mails that the app sends; turns mail on."""
    with mail_to(app, f"file:{tmp_path}"):
        yield Mailbox(app, tmp_path)


@pytest.fixture
def api(app: Flask) -> Api:
    """A stranger's client of the API."""
    return Api(app)


@pytest.fixture
def ann_api(app: Flask, ann: Actor) -> Api:
    return signed_in_api(app, ann)


@pytest.fixture
def bob_api(app: Flask, bob: Actor) -> Api:
    return signed_in_api(app, bob)


@pytest.fixture
def root_api(app: Flask, root: Actor) -> Api:
    return signed_in_api(app, root)


@pytest.fixture
def browser(app: Flask) -> Browser:
    """A stranger's browser."""
    return Browser(app)


@pytest.fixture
def ann_browser(app: Flask, ann: Actor) -> Browser:
    return signed_in_browser(app, ann)


@pytest.fixture
def bob_browser(app: Flask, bob: Actor) -> Browser:
    return signed_in_browser(app, bob)


@pytest.fixture
def root_browser(app: Flask, root: Actor) -> Browser:
    return signed_in_browser(app, root)


def email_of(username: str) -> str:
    return f"{username}@example.com"


def signed_in_api(app: Flask, actor: Actor) -> Api:
    with app.app_context():
        pair = token_pairs.sign_in(Actor(), actor.username, PASSWORD)
    return Api(app, pair.access_token)


def signed_in_browser(app: Flask, actor: Actor) -> Browser:
    signed_in = Browser(app)
    signed_in.start_session(actor)
    return signed_in


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--fast", action="store_true", help="SQLite alone; no browser, no race, no slow test"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--fast"):
        slow = [_is_slow(item) for item in items]
        config.hook.pytest_deselected(items=list(compress(items, slow)))
        items[:] = [item for item, left_out in zip(items, slow, strict=True) if not left_out]


def _is_slow(item: pytest.Item) -> bool:
    assert isinstance(item, pytest.Function)
    marked = any(item.get_closest_marker(mark) for mark in ("browser", "slow"))
    used = _imported(item.module)
    parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
    on_postgres = {"postgres", "postgres_app"} & set(item.fixturenames)
    return marked or bool(used & STARTERS or on_postgres) or "postgresql" in parameters


@lru_cache
def _imported(module: ModuleType) -> set[str]:
    """Return the modules that define the names of `module`."""
    return {getattr(value, "__module__", "") for value in vars(module).values()}
