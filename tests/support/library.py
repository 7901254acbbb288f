"""A small resource that only the tests serve: books, with what the app's own resources do not use.

Names outside differ from names inside (`data_key`), one field is computed, one list is a JSON
array, and strangers may borrow a book without a token.
"""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from flask import Blueprint
from marshmallow import Schema, fields

from app.api.http.declaration import ListQuery
from app.api.http.operation import operation
from app.errors import Invalid, InvalidParameter
from app.faults import Code, Fault
from app.models.types import uuid7
from app.schemas.coded_fields import Length, List, Nested
from app.schemas.fields import Computed, Identifier, Line, Number, Strict, Text, Whole
from app.schemas.names import outside_names
from app.services.shared.actor import Actor
from app.services.shared.paging import Page, PageRequest

bp = Blueprint("library", __name__)
books = Blueprint("books", __name__, url_prefix="/books")


@dataclass
class Book:
    id: str
    title: str
    page_count: int
    authors: list[dict[str, Any]]
    version: int = 1

    @property
    def shelf(self) -> SimpleNamespace:
        return SimpleNamespace(name=self.title[:1])


class AuthorOut(Schema):
    full_name = Text(required=True, data_key="fullName")


class BookOut(Schema):
    id = Identifier(required=True)
    title = Text(required=True)
    page_count = fields.Integer(required=True, data_key="pageCount")
    authors = fields.List(fields.Nested(AuthorOut), required=True)
    shelf = Text(required=True, attribute="shelf.name")
    url = Computed(
        lambda book: f"/api/v1/books/{book.id}",
        Text(metadata={"description": "Where the book is.", "format": "uri-reference"}),
        required=True,
    )


class AuthorIn(Strict):
    full_name = Line(required=True, data_key="fullName", validate=Length(min=1, max=40))


class BookIn(Strict):
    title = Line(required=True, validate=Length(min=1, max=40))
    page_count = Whole(required=True, data_key="pageCount")
    authors = List(Nested(AuthorIn), load_default=list)
    resource_fields = outside_names(BookOut())


class BookQuery(ListQuery):
    min_pages = Number(data_key="minPages", metadata={"description": "At least."})
    title_start = Text(data_key="title[start]", metadata={"description": "Beginning."})


READ, WRITE = ("tasks:read",), ("tasks:write",)
shelf: list[Book] = []


@books.get("")
@operation(id="listBooks", summary="List books", scopes=READ, query=BookQuery(), returns=BookOut())
def index(_actor: Actor, query: dict[str, Any], paging: PageRequest) -> Page[Book]:
    start = query.get("title_start", "")
    if start == "?":
        fault = Fault(Code.NOT_ALLOWED, "No book has it.")
        raise InvalidParameter("No title.", {"title_start": fault})
    at_least = query.get("min_pages", 0)
    found = [b for b in shelf if b.title.startswith(start) and b.page_count >= at_least]
    return Page(found[: paging.limit], None, len(found) if paging.count else None)


@books.get("/all")
@operation(id="listAllBooks", summary="List all", scopes=READ, returns=BookOut(many=True))
def everything(_actor: Actor) -> list[Book]:
    return shelf


@books.post("")
@operation(
    id="createBook",
    summary="Add a book",
    scopes=WRITE,
    body=BookIn(),
    returns=BookOut(),
    status=201,
    location="/api/v1/books/{0.id}",
    idempotent=True,
    token_optional=True,
)
def create(_actor: Actor, body: dict[str, Any]) -> Book:
    if body["page_count"] > 9000:
        raise Invalid("Too long.", {"page_count": Fault(Code.OUT_OF_RANGE, "Too long.")})
    for number, author in enumerate(body["authors"]):
        if author["full_name"] == "Nobody":
            name = f"authors/{number}/full_name"
            raise Invalid("No author.", {name: Fault(Code.NOT_ALLOWED, "Nobody wrote it.")})
    shelf.append(Book(uuid7(), **body))
    return shelf[-1]


@books.get("/borrower")
@operation(
    id="getBorrower",
    summary="Get the borrower",
    scopes=READ,
    token_optional=True,
    returns=Schema.from_dict({"username": Text(required=True)}, name="BorrowerOut")(),
)
def borrower(actor: Actor) -> Any:
    return SimpleNamespace(username=actor.username)


bp.register_blueprint(books)
