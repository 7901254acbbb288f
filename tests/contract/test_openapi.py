"""The OpenAPI document is valid and complete, and the service never departs from it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator, oas31_format_checker
from openapi_spec_validator import OpenAPIV31SpecValidator

from app.api.openapi import document as openapi
from app.api.openapi.strings import request_strings
from app.models.registry import SCOPES
from app.web.error_handlers import problems
from tests.conftest import MakeApp
from tests.contract.test_routes import each, on_one_database
from tests.support.answers import MISSING
from tests.support.clients import Api
from tests.support.conformance import Checked, Conformance
from tests.support.routes import APP, DOCUMENT, OPERATIONS, Route
from tests.tools import check_spec

JSON = "application/json"
DESCRIBED = [
    (f"{method} {path}", operation)
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
]
each_described = pytest.mark.parametrize(
    "operation", [operation for _, operation in DESCRIBED], ids=[place for place, _ in DESCRIBED]
)


@pytest.fixture(scope="module")
def conformance() -> Conformance:
    return Conformance(json.loads(json.dumps(DOCUMENT)))


def test_document_is_valid() -> None:
    assert list(OpenAPIV31SpecValidator(DOCUMENT).iter_errors()) == []


def test_committed_document_that_differs_is_told_and_mended(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(check_spec, "COMMITTED", tmp_path / "openapi.json")
    assert check_spec.main([]) == 1
    assert capsys.readouterr().out.endswith("python -m tests.tools.check_spec --write\n")
    assert (check_spec.main(["--write"]), check_spec.main([])) == (0, 0)


def test_document_is_the_same_each_time() -> None:
    assert json.dumps(openapi.build(APP)) == json.dumps(DOCUMENT)


VERBS = {
    "get": ("get", "list", "export"),
    "post": (
        *("create", "replace", "remove", "restore", "import", "bulk", "test", "resend", "invite"),
        *("confirm", "request", "reset", "refresh", "sign", "rotate"),
    ),
    "put": ("replace",),
    "patch": ("update",),
    "delete": ("delete",),
}


def test_operations_have_names_of_their_own() -> None:
    names = [operation["operationId"].lower() for _, operation in DESCRIBED]
    assert len(set(names)) == len(names)


@each_described
def test_operation_id_is_a_verb_of_its_method_and_a_resource(operation: dict[str, Any]) -> None:
    (method,) = {
        name
        for item in DOCUMENT["paths"].values()
        for name, each in item.items()
        if each is operation
    }
    assert re.fullmatch(rf"({'|'.join(VERBS[method])})([A-Z][a-z]+)+", operation["operationId"])


def test_operation_id_says_list_where_the_answer_has_items(conformance: Conformance) -> None:
    for _, operation in DESCRIBED:
        content = conformance.resolve(min(operation["responses"].items())[1]).get("content", {})
        schema = conformance.resolve(content.get("application/json", {}).get("schema", {}))
        lists = "items" in schema.get("properties", {})
        assert operation["operationId"].startswith("list") == lists, operation["operationId"]


def test_every_tag_has_a_sentence() -> None:
    used = {tag for _, operation in DESCRIBED for tag in operation["tags"]}
    described = {tag["name"]: tag["description"] for tag in DOCUMENT["tags"]}
    assert used == described.keys()
    assert all(re.fullmatch(r"[A-Z].+[.]", text) for text in described.values())


@each_described
def test_operation_is_described(operation: dict[str, Any]) -> None:
    assert operation["summary"]
    assert operation["tags"]
    scopes = {scope for need in operation["security"] for scope in need.get("bearer", ())}
    assert scopes <= set(SCOPES)


@each_described
def test_every_parameter_is_described(conformance: Conformance, operation: dict[str, Any]) -> None:
    for parameter in map(conformance.resolve, operation["parameters"]):
        assert parameter["description"], parameter["name"]
        assert parameter["schema"], parameter["name"]


@each_described
def test_every_answer_and_header_is_described(
    conformance: Conformance, operation: dict[str, Any]
) -> None:
    for response in map(conformance.resolve, operation["responses"].values()):
        assert response["description"]
        assert all(
            conformance.resolve(part)["description"] for part in response["headers"].values()
        )


def test_no_string_that_a_client_sends_may_hold_a_nul() -> None:
    strings = [each for each in request_strings(DOCUMENT) if "contentMediaType" not in each]
    assert len(strings) > 30
    for schema in strings:
        validator = OAS31Validator(schema, format_checker=oas31_format_checker)
        for text in ("\0", "a\0b", "https://1.1.1.1/\0", "abcdefgh\0ijkl", "a@b.example\0"):
            assert not validator.is_valid(text), schema


@pytest.mark.parametrize(
    ("path", "field"),
    [("/auth/login", "otp"), ("/auth/login", "password"), ("/auth/refresh", "refresh_token")],
)
@on_one_database
def test_nul_in_a_secret_is_refused_as_described(
    conformance: Conformance, api: Api, path: str, field: str
) -> None:
    body = {"identifier": "ann", "password": "x"} if path == "/auth/login" else {}
    answer = Checked(conformance, api).call("POST", path, json={**body, field: "a\0b"})
    assert answer.status_code == 422


def test_every_example_is_of_its_schema(conformance: Conformance) -> None:
    examples = list(conformance.examples())
    for place, schema, example in examples:
        conformance.validate(place, schema, example)
    assert len(examples) > 2 * len(OPERATIONS)


@on_one_database
@pytest.mark.parametrize("slug", sorted(problems()))
def test_every_kind_of_problem_has_a_page(api: Api, slug: str) -> None:
    assert f'"/problems/{slug}"' in json.dumps(DOCUMENT["components"]["examples"])
    answer = api.client.get(f"/problems/{slug}")
    assert answer.status_code == 200
    assert problems()[slug].title in answer.text


@on_one_database
def test_document_is_served_and_kept_until_it_changes(api: Api) -> None:
    answer = api.get("/openapi.json")
    assert (answer.mimetype, answer.get_json()) == (JSON, DOCUMENT)
    assert answer.headers["Cache-Control"] == "private, no-cache"
    again = api.get("/openapi.json", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


@on_one_database
def test_page_to_read_it_comes_from_here_alone(api: Api) -> None:
    page = api.client.get("/api/docs")
    assert page.status_code == 200
    assert "//" not in page.text.replace("<!doctype html>", "")
    assert "unsafe" not in page.headers["Content-Security-Policy"]


def faulty(route: Route) -> list[dict[str, Any]]:
    """Return requests with one fault each."""
    operation = route.operation
    assert operation
    body = getattr(operation.body, "example", None)
    wrong: list[dict[str, Any]] = [
        {"query_string": "colour=red", "json": body},
        {"query_string": "limit=0&format=xml&days=0"},
        {"json": body or {}, "headers": {"If-Match": "1", "Idempotency-Key": ""}},
        {"json": body or {}, "headers": {"If-Match": '"0"', "Idempotency-Key": "k"}},
        {"data": b"{", "content_type": JSON},
        {"data": b"[]", "content_type": JSON},
        {"data": b"{}", "content_type": JSON},
        {"data": b'{"x": 1}', "content_type": JSON},
        {"data": b"x", "content_type": "text/plain"},
        {"data": b" " * (2**20 + 1), "content_type": JSON},
    ]
    return wrong


@pytest.mark.slow
@on_one_database
@each(OPERATIONS)
def test_every_refusal_is_as_described(
    conformance: Conformance, api: Api, ann_api: Api, root_api: Api, route: Route
) -> None:
    for client in (api, Api(api.client.application, "fst_void"), ann_api, root_api):
        for wrong in faulty(route):
            path = route.path({"user_id": MISSING, "username": "nobody"})
            Checked(conformance, client).call(route.method, path, **wrong)


@on_one_database
def test_served_document_tells_the_least_length_of_a_password(other_app: MakeApp) -> None:
    strict = Api(other_app(PASSWORD_MIN_LENGTH="12")).get("/openapi.json").get_json()
    for document, least in ((DOCUMENT, 8), (strict, 12)):
        schemas = document["components"]["schemas"]
        for name in ("NewUser", "MyChanges"):
            assert schemas[name]["properties"]["password"]["minLength"] == least
