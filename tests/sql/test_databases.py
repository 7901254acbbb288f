"""The databases of the tests: never another one, and empty for each test."""

import pytest
from flask import Flask

from app.services.shared.actor import Actor
from app.services.tasks import tasks
from tests.support.clients import Api, Browser
from tests.support.databases import PostgresServer, postgres_server
from tests.support.rows import events


def test_only_a_database_for_tests_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_DATABASE_URL", "postgresql://localhost/production")
    with pytest.raises(ValueError, match="'test' in its name"), postgres_server():
        pass


def test_server_that_is_named_is_used(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_DATABASE_URL", postgres.url.replace("postgresql:", "postgres:"))
    with postgres_server() as server:
        assert server.url == postgres.url
        assert "test_again" in server.create("again")


@pytest.mark.parametrize("attempt", range(2))
def test_each_test_starts_on_empty_tables(app: Flask, ann: Actor, attempt: int) -> None:
    with app.app_context():
        assert [event.action for event in events()] == ["user.created"]
        tasks.create(ann, {"title": "x"})


def test_clients_refuse_to_share_an_app_context(app: Flask) -> None:
    with app.app_context():
        for call in (Api(app).get, Browser(app).get):
            with pytest.raises(AssertionError, match="close the app context"):
                call("/healthz")
