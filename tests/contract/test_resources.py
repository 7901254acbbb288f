"""Every resource declares what the rest of the app makes of it."""

import re
import tomllib
from typing import Any

import pytest
from sqlalchemy import Column, ForeignKey, Table

import config
from app.extensions import db
from app.models import Task, registry
from app.models.base import table_of
from app.models.registry import BY_NAME, BY_TABLE, EVENTS, RESOURCES, SCOPES, joined, words_of
from app.models.resource import Resource
from tests.support.routes import APP, DOCUMENT

# Tables with a key to users that are no resource, each with the reason.
NO_RESOURCE: dict[str, str] = {}
named = pytest.mark.parametrize("resource", RESOURCES, ids=lambda each: each.name)


def tables_of_persons() -> set[str]:
    """Return the tables with a key to users."""
    return {
        table.name
        for table in db.metadata.sorted_tables
        if any(key.column.table.name == "users" for key in table.foreign_keys)
    }


def test_every_table_with_a_key_to_users_is_a_resource_or_has_a_reason() -> None:
    assert tables_of_persons() - BY_TABLE.keys() == NO_RESOURCE.keys()


def test_new_table_with_a_key_to_users_is_noticed() -> None:
    extra = Table("extra", db.metadata, Column("author_id", ForeignKey("users.id")))
    try:
        assert tables_of_persons() - BY_TABLE.keys() == {"extra"}
    finally:
        db.metadata.remove(extra)


@named
def test_resource_declares_every_key_to_users(resource: Resource) -> None:
    table = table_of(resource.model)
    keys = {key.parent.key for key in table.foreign_keys if key.column.table.name == "users"}
    assert keys == {person.key for person in resource.person}


@pytest.mark.parametrize("name", ["export", "events", "admin"])
def test_resource_must_say_export_events_and_admin_page(name: str) -> None:
    said: dict[str, Any] = {"export": "None.", "events": None, "admin": None}
    del said[name]
    with pytest.raises(TypeError, match=name):
        Resource(name="project", model=Task, **said)


@named
def test_export_is_true_or_a_reason(resource: Resource) -> None:
    assert resource.export is True or resource.export.endswith(".")


@named
def test_names_of_scopes_events_and_actions_begin_with_the_resource(resource: Resource) -> None:
    assert all(event.startswith(f"{resource.name}.") for event in resource.events or ())
    assert resource.target_type in BY_NAME
    assert set(resource.events or ()) <= set(resource.actions)


@named
def test_words_belong_to_a_resource_with_actions(resource: Resource) -> None:
    assert bool(words_of(resource.name)) <= bool(resource.actions)


@named
def test_endpoints_exist(resource: Resource) -> None:
    endpoints = {rule.endpoint for rule in APP.url_map.iter_rules()}
    assert {resource.admin, resource.home} - {None, ""} <= endpoints


@named
def test_columns_belong_to_the_model(resource: Resource) -> None:
    columns = [*resource.person, resource.title, resource.parent]
    columns += [resource.purge.column] if resource.purge else []
    assert {column.class_ for column in columns if column is not None} <= {resource.model}
    names = {*resource.withheld, *resource.fresh}
    assert names <= set(table_of(resource.model).c.keys())


def schema(name: str) -> dict[str, Any]:
    """Return the properties of a schema of the document."""
    properties: dict[str, Any] = DOCUMENT["components"]["schemas"][name]["properties"]
    return properties


def test_document_has_the_scopes_events_and_export_lists_of_the_resources() -> None:
    assert schema("TokenIn")["scopes"]["items"]["enum"] == list(SCOPES)
    assert schema("WebhookIn")["events"]["items"]["enum"] == list(EVENTS)
    lists = [each.plural for each in RESOURCES if each.is_exported]
    assert list(schema("AccountExport")) == ["user", *lists]


def test_operations_require_exactly_the_scopes_of_the_resources() -> None:
    operations = [each for path in DOCUMENT["paths"].values() for each in path.values()]
    needs = [need for operation in operations for need in operation["security"]]
    assert {scope for need in needs for scope in need.get("bearer", ())} == set(SCOPES)


def test_name_that_is_declared_twice_is_refused() -> None:
    with pytest.raises(ValueError, match=r"task\.created"):
        joined([("task.created", "a"), ("task.created", "b")])


def rooms_without_the_example() -> list[str]:
    """Return the rooms that the import contract forbids to know tasks, as paths."""
    settings = tomllib.loads((config.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (contract,) = (
        each
        for each in settings["tool"]["importlinter"]["contracts"]
        if each["name"] == "Only the hooks know tasks, the example"
    )
    return [room.replace(".", "/") for room in contract["source_modules"]]


@pytest.mark.parametrize("room", rooms_without_the_example())
def test_room_does_not_name_the_example(room: str) -> None:
    files = [*(config.ROOT / room).rglob("*.py")]
    assert files
    naming = [
        str(file)
        for file in files
        if re.search(r"\b_?(tasks?|comments?)\b", file.read_text(encoding="utf-8"), re.IGNORECASE)
    ]
    assert naming == []


@pytest.mark.parametrize(
    ("resources", "scopes"),
    [
        (("task", "comment", "user"), ("tasks:read",)),
        (("user", "token"), ("profile:read",)),
    ],
)
def test_webhook_requires_a_scope_of_the_resources_with_events(
    resources: tuple[str, ...], scopes: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "RESOURCES", tuple(BY_NAME[name] for name in resources))
    assert registry.scopes_of_events("read") == scopes
