"""Every operation of the OpenAPI document, called by every kind of caller."""

import pytest
from flask import Flask

from app.models.registry import RESOURCES
from app.models.resource import Resource
from tests.support.authorization import ROLES, STATUSES, World
from tests.support.clients import Api
from tests.support.routes import DOCUMENT

OPERATIONS = {
    f"{method.upper()} {path.removeprefix('/api/v1')}": operation
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
}


def test_every_operation_has_a_row_and_every_row_an_operation() -> None:
    assert OPERATIONS.keys() - STATUSES.keys() == set()
    assert STATUSES.keys() - OPERATIONS.keys() == set()
    assert {len(row) for row in STATUSES.values()} == {len(ROLES)}


# By resource with an owner: its operations on one record, "GET /tasks/{task_id}".
OF_RECORDS = {
    each.name: sorted(name for name in STATUSES if f"/{each.plural}/{{{each.name}_id}}" in name)
    for each in RESOURCES
    if each.person
}


def test_rows_of_every_public_resource_are_found() -> None:
    found = {name for name, operations in OF_RECORDS.items() if operations}
    assert found >= {each.name for each in RESOURCES if each.person and each.events}


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda each: each.name)
def test_record_is_hidden_from_strangers_and_needs_a_scope(resource: Resource) -> None:
    for operation in OF_RECORDS.get(resource.name, ()):
        row = dict(zip(ROLES, STATUSES[operation], strict=True))
        refused = {role: row[role] for role in ("anonymous", "stranger", "scopeless")}
        assert refused == {"anonymous": 401, "stranger": 404, "scopeless": 403}, operation


@pytest.mark.slow
@pytest.mark.usefixtures("mailbox")
@pytest.mark.parametrize("operation", STATUSES)
def test_each_caller_gets_what_the_table_says(app: Flask, operation: str) -> None:
    found = {role: cell(app, operation, role) for role in ROLES}
    assert found == dict(zip(ROLES, STATUSES[operation], strict=True))


def cell(app: Flask, operation: str, role: str) -> int:
    """Return the status. Asserts that a refusal changes nothing and shows a stranger nothing."""
    scopes = {
        scope for need in OPERATIONS[operation]["security"] for scope in need.get("bearer", ())
    }
    with app.app_context():
        world = World(app, operation, scopes)
        token, path, body = world.token(role), world.path(), world.body()
        before = world.state()
    answer = Api(app, token).call(operation.partition(" ")[0], path, **body)
    with app.app_context():
        after = world.state()
    assert answer.status_code < 400 or after == before, (role, answer.text)
    if role in ("anonymous", "stranger"):
        for theirs in (*world.private, f"{world.owner.username}@example.com"):
            assert theirs not in answer.text.replace(path, ""), answer.text
    return answer.status_code
