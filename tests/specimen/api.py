"""The API of specimens, as a fork writes the API of a resource."""

from typing import Any, ClassVar

from flask import Blueprint
from marshmallow import Schema

from app.api.http.declaration import ListQuery
from app.api.http.operation import operation
from app.api.http.request_parsing import JSON, MERGE_PATCH
from app.errors import Conflict, Forbidden, NotFound, PreconditionFailed
from app.schemas.coded_fields import Length, List, Range
from app.schemas.fields import (
    Flag,
    Identifier,
    IdentifierOrNone,
    Line,
    LongText,
    Moment,
    Strict,
    Text,
    Whole,
    choice,
)
from app.schemas.names import outside_names
from app.services.shared.actor import Actor
from app.services.shared.paging import Page, PageRequest
from app.services.shared.preconditions import Expect
from tests.specimen import specimens
from tests.specimen.model import NAME_MAX, RANKS, STATES, Specimen

bp = Blueprint("specimens", __name__, url_prefix="/specimens")


class SpecimenOut(Schema):
    id = Identifier(required=True)
    owner_id = Identifier(required=True)
    reviewer_id = Identifier(required=True, allow_none=True)
    name = Text(required=True)
    notes = Text(required=True)
    archived = Flag(required=True)
    pieces = Whole(required=True)
    due_at = Moment(required=True, allow_none=True)
    sold_at = Moment(required=True, allow_none=True)
    state = choice(STATES, required=True)
    rank = choice(RANKS, required=True)
    words = List(Text(), required=True)
    created_at = Moment(required=True)
    updated_at = Moment(required=True)


class SpecimenIn(Strict):
    name = Line(required=True, validate=Length(min=1, max=NAME_MAX))
    notes = LongText(validate=Length(max=10_000))
    archived = Flag()
    pieces = Whole(validate=Range(0, 1000))
    due_at = Moment(allow_none=True)
    state = choice(STATES)
    rank = choice(RANKS)
    words = List(Line(validate=Length(min=1, max=50)), validate=Length(max=20))
    resource_fields = outside_names(SpecimenOut())
    example: ClassVar[dict[str, Any]] = {"name": "Quartz", "rank": "high"}


class SpecimenQuery(ListQuery):
    state = List(choice(STATES), metadata={"description": "Any of these values."})
    rank = List(choice(RANKS), metadata={"description": "Any of these values."})
    reviewer_id = IdentifierOrNone(metadata={"description": "The reviewer; `none` for none."})
    archived = Flag(metadata={"description": "True or false."})
    due_before = Moment(metadata={"description": "Due before this time."})
    due_after = Moment(metadata={"description": "Due at or after this time."})
    sort = choice(
        specimens.RECORDS.orders,
        load_default="-created_at",
        metadata={"description": "`-` reverses the order. Specimens without a value are last."},
    )


@bp.get("")
@operation(
    id="listSpecimens",
    summary="List specimens",
    scopes=(),
    query=SpecimenQuery(),
    returns=SpecimenOut(),
)
def index(actor: Actor, query: dict[str, Any], paging: PageRequest) -> Page[Specimen]:
    sort = query.pop("sort")
    return specimens.page(actor, paging, filters=query, sort=sort, everyone=actor.is_admin)


@bp.post("")
@operation(
    id="createSpecimen",
    summary="Create a specimen",
    scopes=(),
    body=SpecimenIn(),
    returns=SpecimenOut(),
    status=201,
    location="/api/v1/specimens/{0.id}",
    etag=True,
    idempotent=True,
    errors=(Conflict,),
)
def create(actor: Actor, body: dict[str, Any]) -> Specimen:
    return specimens.create(actor, body)


@bp.get("/<id:specimen_id>")
@operation(
    id="getSpecimen",
    summary="Get a specimen",
    scopes=(),
    returns=SpecimenOut(),
    etag=True,
    reads=specimens.RECORDS.of_holder,
    errors=(NotFound,),
)
def show(actor: Actor, specimen_id: str, record: Specimen | None) -> Specimen:
    return record or specimens.get(actor, specimen_id)


@bp.patch("/<id:specimen_id>")
@operation(
    id="updateSpecimen",
    summary="Update a specimen",
    scopes=(),
    body=SpecimenIn(partial=True),
    body_types=(JSON, MERGE_PATCH),
    returns=SpecimenOut(),
    etag=True,
    if_match=True,
    errors=(Conflict, NotFound, PreconditionFailed),
)
def update(actor: Actor, specimen_id: str, body: dict[str, Any], expect: Expect) -> Specimen:
    return specimens.update(actor, specimen_id, body, expect)


@bp.delete("/<id:specimen_id>")
@operation(
    id="deleteSpecimen",
    summary="Delete a specimen",
    scopes=(),
    status=204,
    if_match=True,
    errors=(Forbidden, NotFound, PreconditionFailed),
)
def delete(actor: Actor, specimen_id: str, expect: Expect) -> None:
    """Moves the specimen to the trash."""
    specimens.delete(actor, specimen_id, expect)


@bp.post("/<id:specimen_id>/restore")
@operation(
    id="restoreSpecimen",
    summary="Restore a specimen",
    scopes=(),
    returns=SpecimenOut(),
    etag=True,
    errors=(NotFound,),
)
def restore(actor: Actor, specimen_id: str) -> Specimen:
    return specimens.restore(actor, specimen_id)
