"""One statement reads the token of a request and the record that the request names."""

from typing import Any

import pytest
from flask import Flask

from app.models.types import uuid7
from app.sql import RequestConnection
from tests.support.authorization import World
from tests.support.clients import Api

# The statements of each read: one for a record, another for a page of its children.
READS = {
    "GET /tasks/{task_id}": 1,
    "GET /tasks/{task_id}/comments": 2,
    "GET /tasks/{task_id}/comments/{comment_id}": 1,
    "GET /tasks/{task_id}/events": 2,
    "GET /users/me": 1,
    "GET /users/{user_id}": 1,
    "GET /webhooks/{webhook_id}": 1,
    "GET /webhooks/{webhook_id}/deliveries": 2,
}
of_each_read = pytest.mark.parametrize("operation", READS)


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """All statements that are sent from now on."""
    sent: list[Any] = []
    execute = RequestConnection._execute

    def noted(link: RequestConnection, *given: Any) -> Any:
        sent.append(given)
        return execute(link, *given)

    monkeypatch.setattr(RequestConnection, "_execute", noted)
    return sent


def ask(app: Flask, operation: str, role: str, *, absent: bool = False) -> tuple[Any, ...]:
    """Return the status and the problem of the answer, for an existing or absent record."""
    with app.app_context():
        world = World(app, operation, {"tasks:read", "tasks:write", "profile:read"})
        token = world.token(role)
        if absent:
            world.ids = dict.fromkeys(world.ids, uuid7())
        path = operation.removeprefix("GET ").format(**world.ids)
    answer = Api(app, token).get(path)
    body = answer.get_json()
    return answer.status_code, body.get("type"), body.get("detail")


@of_each_read
def test_owner_reads_by_as_few_statements_as_there_are_answers(
    app: Flask, statements: list[Any], operation: str
) -> None:
    with app.app_context():
        world = World(app, operation, set())
        token, path = world.token("owner"), operation.removeprefix("GET ").format(**world.ids)
    statements.clear()
    answer = Api(app, token).get(path)
    assert (answer.status_code, len(statements)) == (200, READS[operation])


@of_each_read
@pytest.mark.parametrize("role", ["expired", "deactivated"])
def test_dead_token_does_not_show_whether_a_record_exists(
    app: Flask, operation: str, role: str
) -> None:
    present, absent = (ask(app, operation, role, absent=absent) for absent in (False, True))
    assert present == absent
    assert present[0] == 401


@pytest.mark.parametrize(
    "operation", sorted(READS.keys() - {"GET /users/{user_id}"})
)  # needs no scope
def test_token_without_the_scope_does_not_show_whether_a_record_exists(
    app: Flask, operation: str
) -> None:
    present, absent = (ask(app, operation, "scopeless", absent=absent) for absent in (False, True))
    assert present == absent
    assert present[0] == 403
