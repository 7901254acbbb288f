"""Each item of `errors` has a stable code, and the document lists all of them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from marshmallow import Schema, fields

import config
from app.faults import Code
from app.schemas.coded_fields import Coded
from app.services.shared.actor import Actor
from app.web.error_handlers import problems
from tests.support.answers import MISSING
from tests.support.clients import Api
from tests.support.routes import DOCUMENT, OPERATIONS, Route

TASK_CODES: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({}, {"/title": "required"}),
    ({"title": None}, {"/title": "invalid_type"}),
    ({"title": 1}, {"/title": "invalid_type"}),
    ({"title": " "}, {"/title": "too_short"}),
    ({"title": "x" * 201}, {"/title": "too_long"}),
    ({"title": "\0"}, {"/title": "invalid_character"}),
    ({"title": "x", "colour": "red"}, {"/colour": "unknown_field"}),
    ({"title": "x", "id": MISSING}, {"/id": "read_only"}),
    (
        {"title": "x", "version": 2, "owner_id": None},
        {"/version": "read_only", "/owner_id": "read_only"},
    ),
    ({"title": "x", "status": "later"}, {"/status": "not_a_choice"}),
    ({"title": "x", "priority": 2}, {"/priority": "invalid_type"}),
    ({"title": "x", "due_at": "tomorrow"}, {"/due_at": "malformed"}),
    ({"title": "x", "due_at": "2026-02-30T00:00:00Z"}, {"/due_at": "malformed"}),
    ({"title": "x", "due_at": 1}, {"/due_at": "invalid_type"}),
    ({"title": "x", "assignee_id": "ann"}, {"/assignee_id": "malformed"}),
    ({"title": "x", "assignee_id": MISSING}, {"/assignee_id": "not_found"}),
    ({"title": "x", "labels": "a"}, {"/labels": "invalid_type"}),
    ({"title": "x", "labels": [1]}, {"/labels/0": "invalid_type"}),
    ({"title": "x", "labels": [""]}, {"/labels": "too_short"}),
    ({"title": "x", "labels": ["x" * 51]}, {"/labels": "too_long"}),
    ({"title": "x", "labels": [str(n) for n in range(21)]}, {"/labels": "too_long"}),
    ({"title": "x", "labels": ["a;b"]}, {"/labels": "invalid_character"}),
]
QUERY_CODES = {
    "limit=0": "out_of_range",
    "limit=x": "invalid_type",
    "limit=1&limit=2": "repeated",
    "colour=red": "unknown_field",
    "status=later": "not_a_choice",
    "sort=": "not_a_choice",
    "overdue=yes": "invalid_type",
    "due_before=now": "malformed",
    "owner_id=me": "malformed",
    "cursor=x": "malformed",
    "q=a%00": "invalid_character",
    f"q={'x' * 201}": "too_long",
}
NEW_USER = {"username": "ann2", "email": "ann2@example.com", "password": "seven plums and a pear"}
USER_CODES: list[tuple[dict[str, Any], int, dict[str, str]]] = [
    ({"username": "ANN"}, 409, {"/username": "taken"}),
    ({"email": "Ann@Example.com"}, 409, {"/email": "taken"}),
    ({"username": "a"}, 422, {"/username": "too_short"}),
    ({"username": "a" * 81}, 422, {"/username": "too_long"}),
    ({"username": "a b c"}, 422, {"/username": "invalid_character"}),
    ({"username": "root"}, 422, {"/username": "reserved"}),
    ({"email": "ann"}, 422, {"/email": "malformed"}),
    ({"email": f"{'x' * 400}@example.com"}, 422, {"/email": "too_long"}),
    ({"password": "short"}, 422, {"/password": "too_short"}),
    ({"password": "password1"}, 422, {"/password": "too_common"}),
    ({"password": "ann2@example.com"}, 422, {"/password": "too_similar"}),
    ({"role": "admin"}, 422, {"/role": "read_only"}),
]
OPERATION_CODES: list[tuple[Any, dict[str, str]]] = [
    ([], {"/operations": "too_short"}),
    ([1], {"/operations/0": "invalid_type"}),
    ([{}], {"/operations/0/op": "required"}),
    ([{"op": "undo"}], {"/operations/0/op": "not_a_choice"}),
    ([{"op": "delete", "id": MISSING, "version": 0}], {"/operations/0/version": "out_of_range"}),
    (
        [{"op": "create", "data": {"title": "x", "id": MISSING}}],
        {"/operations/0/data/id": "read_only"},
    ),
    ([{"op": "create", "data": []}], {"/operations/0/data": "invalid_type"}),
]


def codes(answer: Any) -> dict[str, str]:
    """Return the code of each fault by its pointer or parameter."""
    errors = answer.get_json()["errors"]
    return {fault.get("pointer", fault.get("parameter")): fault["code"] for fault in errors}


@pytest.mark.parametrize(("body", "expected"), TASK_CODES, ids=lambda part: repr(part)[:40])
def test_fault_of_a_task_has_its_code(
    ann_api: Api, body: dict[str, Any], expected: dict[str, str]
) -> None:
    answer = ann_api.post("/tasks", body)
    assert (answer.status_code, codes(answer)) == (422, expected)


@pytest.mark.parametrize(("query", "code"), QUERY_CODES.items())
def test_fault_of_a_parameter_has_its_code(ann_api: Api, query: str, code: str) -> None:
    assert codes(ann_api.get(f"/tasks?{query}")) == {query.partition("=")[0]: code}


@pytest.mark.parametrize(("changes", "status", "expected"), USER_CODES)
def test_fault_of_an_account_has_its_code(
    api: Api, ann: Actor, changes: dict[str, Any], status: int, expected: dict[str, str]
) -> None:
    answer = api.post("/users", {**NEW_USER, **changes})
    assert (answer.status_code, codes(answer)) == (status, expected)


@pytest.mark.parametrize(("operations", "expected"), OPERATION_CODES)
def test_fault_of_a_bulk_operation_has_its_code(
    ann_api: Api, operations: Any, expected: dict[str, str]
) -> None:
    assert codes(ann_api.post("/tasks/bulk", {"operations": operations})) == expected


def test_wrong_or_missing_password_has_its_code(ann_api: Api) -> None:
    change = {"email": "other@example.com"}
    assert codes(ann_api.patch("/users/me", change)) == {"/current_password": "required"}
    answer = ann_api.patch("/users/me", {**change, "current_password": "x"})
    assert codes(answer) == {"/current_password": "incorrect"}


def test_body_that_is_no_object_has_its_code(ann_api: Api) -> None:
    assert codes(ann_api.post("/tasks", [])) == {"": "invalid_type"}


def test_fault_of_a_file_has_its_code(ann_api: Api) -> None:
    data = f"title,status,assignee_id\n,later,\nPlums,,{MISSING}\n"
    answer = ann_api.call("POST", "/tasks/import", data=data, content_type="text/csv")
    assert codes(answer) == {"/title": "too_short", "/status": "not_a_choice"}


@pytest.mark.parametrize("route", OPERATIONS, ids=str)
def test_field_of_answers_that_a_body_does_not_take_is_read_only(route: Route) -> None:
    operation = route.operation
    assert operation is not None
    taken = operation.body.fields.keys() if operation.body else set()
    shown = operation.returns.fields.keys() if operation.returns else set()
    if "id" in shown and taken & shown:  # the body describes the resource in the answer
        assert shown - taken <= set(getattr(operation.body, "resource_fields", ()))


def inputs(schema: Schema) -> Iterator[fields.Field[Any]]:
    for field in schema.fields.values():
        yield from _inner(field)


def _inner(field: fields.Field[Any]) -> Iterator[fields.Field[Any]]:
    yield field
    if isinstance(field, fields.List):
        yield from _inner(field.inner)
    if isinstance(field, fields.Nested):
        yield from inputs(field.schema)
    for schema in getattr(field, "schemas", {}).values():
        yield from inputs(schema)


@pytest.mark.parametrize("route", OPERATIONS, ids=str)
def test_every_message_of_an_input_field_has_a_code(route: Route) -> None:
    assert route.operation is not None
    for schema in filter(None, (route.operation.body, route.operation.query)):
        for field in inputs(schema):
            assert isinstance(field, Coded), field
            assert {each.__module__ for each in field.validators} <= {"app.schemas.coded_fields"}, (
                field
            )


def test_document_lists_the_codes_and_the_kinds_of_problem() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    assert schemas["Fault"]["properties"]["code"]["enum"] == [code.value for code in Code]
    assert "code" in schemas["Fault"]["required"]
    kinds = schemas["Problem"]["properties"]["type"]["enum"]
    assert set(kinds) == {f"/problems/{slug}" for slug in problems()}


def test_guide_explains_every_code() -> None:
    guide = (Path(config.ROOT) / "docs" / "api.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \|", guide, re.MULTILINE) == [code.value for code in Code]
