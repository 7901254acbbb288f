"""Declarations that the app's own operations do not use: arrays, computed and renamed fields, and
an optional sign-in. tests/support/library.py is the resource."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from marshmallow import Schema
from openapi_spec_validator import OpenAPIV31SpecValidator

from app.api.http.declaration import ListQuery, Operation
from app.api.openapi import document as openapi
from app.schemas.fields import Number, Strict, Text, Whole
from app.services.shared.actor import Actor
from tests.conftest import KeepApp, signed_in_api
from tests.support import library
from tests.support.answers import blamed, slug_of
from tests.support.clients import Api
from tests.support.conformance import Checked, Conformance
from tests.support.databases import Database, make_app

BOOK = {"title": "Plums", "pageCount": 120, "authors": [{"fullName": "Ann"}]}


@pytest.fixture
def app(sqlite_database: Database) -> Flask:
    """The app on SQLite alone: no declaration depends on the database."""
    sqlite_database.empty()
    return sqlite_database.app


def build(url: str) -> Flask:
    app = make_app(url)
    app.register_blueprint(library.bp, url_prefix="/api/v1")
    return app


@pytest.fixture
def service(kept_app: KeepApp) -> Iterator[Flask]:
    """The app with the library, which is empty."""
    library.shelf.clear()
    yield kept_app(build)
    library.shelf.clear()


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    app = build("sqlite:////dev")  # no request is served
    found: dict[str, Any] = json.loads(json.dumps(openapi.build(app)))
    return found


@pytest.fixture
def ann_api(service: Flask, document: dict[str, Any], ann: Actor) -> Api:
    return Checked(Conformance(document), signed_in_api(service, ann))


@pytest.fixture
def api(service: Flask, document: dict[str, Any]) -> Api:
    return Checked(Conformance(document), Api(service))


def test_array_is_answered_as_it_is_described(ann_api: Api) -> None:
    assert ann_api.get("/books/all").get_json() == []
    made = ann_api.post("/books", BOOK).get_json()
    assert ann_api.get("/books/all").get_json() == [made]


def test_computed_field_is_answered(ann_api: Api) -> None:
    answer = ann_api.post("/books", BOOK)
    assert answer.get_json()["url"] == answer.headers["Location"]


def test_fields_have_their_outside_names_in_answers_and_bodies(ann_api: Api) -> None:
    made = ann_api.post("/books", BOOK).get_json()
    assert {name: made[name] for name in BOOK} == BOOK
    assert made["shelf"] == "P"
    assert library.shelf[0].page_count == 120


@pytest.mark.parametrize(
    ("changes", "pointer", "code"),
    [
        ({"pageCount": "120"}, "/pageCount", "invalid_type"),
        ({"page_count": 120}, "/page_count", "unknown_field"),
        ({"authors": [{"fullName": ""}]}, "/authors/0/fullName", "too_short"),
        ({"shelf": "P"}, "/shelf", "read_only"),
        ({"url": "/"}, "/url", "read_only"),
        ({"pageCount": 9001}, "/pageCount", "out_of_range"),  # these two by the service
        ({"authors": [{"fullName": "Nobody"}]}, "/authors/0/fullName", "not_allowed"),
    ],
)
def test_fault_points_at_the_outside_name(
    ann_api: Api, changes: dict[str, Any], pointer: str, code: str
) -> None:
    answer = ann_api.post("/books", {**BOOK, **changes})
    assert blamed(answer) == [pointer]
    assert answer.get_json()["errors"][0]["code"] == code


def test_filter_has_its_outside_name(ann_api: Api) -> None:
    ann_api.post("/books", BOOK)
    ann_api.post("/books", {**BOOK, "title": "Pears", "pageCount": 90})
    found = ann_api.get("/books?minPages=100").get_json()["items"]
    assert [book["title"] for book in found] == ["Plums"]
    found = ann_api.get("/books?title[start]=Pe").get_json()["items"]
    assert [book["title"] for book in found] == ["Pears"]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("minPages=x", "minPages"),
        ("min_pages=1", "min_pages"),
        ("title[start]=a&title[start]=b", "title[start]"),
        ("title[start]=?", "title[start]"),  # by the service
    ],
)
def test_faulty_filter_is_blamed_by_its_outside_name(
    ann_api: Api, query: str, parameter: str
) -> None:
    answer = ann_api.get(f"/books?{query}")
    assert (slug_of(answer), blamed(answer)) == ((422, "invalid-parameter"), [parameter])


def test_document_is_valid_and_has_the_outside_names(document: dict[str, Any]) -> None:
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []
    book = document["components"]["schemas"]["Book"]
    assert set(book["required"]) == set(book["properties"]) == {*BOOK, "id", "shelf", "url"}
    address = {"type": "string", "format": "uri-reference", "description": "Where the book is."}
    assert book["properties"]["url"] == {**address, "readOnly": True}
    parameters = document["paths"]["/api/v1/books"]["get"]["parameters"]
    names = {parameter["name"] for parameter in parameters if "name" in parameter}
    assert names == {"limit", "cursor", "count", "minPages", "title[start]"}


def test_every_example_of_the_document_is_of_its_schema(document: dict[str, Any]) -> None:
    conformance = Conformance(document)
    for place, schema, example in conformance.examples():
        if "/books" in place:
            conformance.validate(place, schema, example)


def test_optional_sign_in_serves_strangers_and_users(api: Api, ann_api: Api) -> None:
    assert api.get("/books/borrower").get_json() == {"username": ""}
    assert ann_api.get("/books/borrower").get_json() == {"username": "ann"}


def test_invalid_token_is_refused_where_none_is_needed(api: Api) -> None:
    answer = api.get("/books/borrower", headers={"Authorization": "Bearer fst_void"})
    assert slug_of(answer) == (401, "invalid-token")


def test_idempotency_key_is_for_users_alone(api: Api, ann_api: Api) -> None:
    headers = {"Idempotency-Key": "first"}
    answer = api.post("/books", BOOK, headers=headers)
    assert (slug_of(answer), library.shelf) == ((400, "idempotency-not-supported"), [])
    repeated = [ann_api.post("/books", BOOK, headers=headers).get_json() for _ in range(2)]
    assert repeated[0] == repeated[1]


class Crossed(Strict):
    """A schema in which "size" means another field outside than inside."""

    weight = Whole(data_key="size")
    size = Whole(data_key="length")


class RenamedPaging(ListQuery):
    limit = Number(data_key="pageSize")


NAMED = Schema.from_dict({"name": Text()})


@pytest.mark.parametrize(
    ("declared", "reason"),
    [
        ({"returns": NAMED(many=True), "etag": True}, "etag"),
        ({"returns": NAMED(many=True), "query": ListQuery()}, "page"),
        ({"returns": NAMED(), "query": RenamedPaging()}, "limit"),
        ({"body": Crossed()}, "size"),
        ({"idempotent": True}, "idempotent"),
    ],
)
def test_declaration_that_cannot_work_is_refused(declared: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Operation(id="listNames", summary="List names", scopes=None, **declared)
