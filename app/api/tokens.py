"""Personal access tokens."""

from types import SimpleNamespace
from typing import Any, ClassVar

from flask import Blueprint
from marshmallow import Schema, fields

from app.api.http.declaration import ListQuery
from app.api.http.operation import operation
from app.errors import (
    EmailUnconfirmed,
    Forbidden,
    NotFound,
    PreconditionFailed,
    ReauthenticationRequired,
)
from app.models import Token
from app.models.registry import SCOPES
from app.models.token import NAME_MAX
from app.schemas.coded_fields import Length, List
from app.schemas.fields import Identifier, Line, Moment, Strict, Text, choice
from app.schemas.names import outside_names
from app.services.access import personal_tokens
from app.services.shared.actor import Actor
from app.services.shared.paging import Page, PageRequest
from app.services.shared.preconditions import Expect
from app.services.users import users

bp = Blueprint("tokens", __name__, url_prefix="/tokens")
READ, WRITE = ("profile:read",), ("profile:write",)


class TokenOut(Schema):
    id = Identifier(required=True)
    name = Text(required=True)
    scopes = fields.List(choice(tuple(SCOPES)), required=True)
    prefix = Text(required=True, metadata={"description": "The first characters of the token."})
    created_at = Moment(required=True)
    last_used_at = Moment(required=True, allow_none=True)
    expires_at = Moment(required=True, allow_none=True)


class NewTokenOut(TokenOut):
    token = Text(required=True, metadata={"description": "The secret, returned only once."})


class TokenIn(Strict):
    name = Line(required=True, validate=Length(min=1, max=NAME_MAX))
    scopes = List(choice(tuple(SCOPES)), required=True, validate=Length(min=1))
    expires_at = Moment(allow_none=True)
    resource_fields = outside_names(NewTokenOut())
    example: ClassVar[dict[str, Any]] = {"name": "Backup", "scopes": list(SCOPES)[:1]}


@bp.get("")
@operation(
    id="listPersonalTokens",
    summary="List my personal tokens",
    scopes=READ,
    query=ListQuery(),
    returns=TokenOut(),
)
def index(actor: Actor, query: dict[str, Any], paging: PageRequest) -> Page[Any]:
    """Tokens are ordered newest first."""
    page = personal_tokens.page(actor, paging, **query)
    return Page([_token_row(token) for token in page.items], page.last, page.total)


@bp.post("")
@operation(
    id="createPersonalToken",
    summary="Create a personal token",
    scopes=WRITE,
    body=TokenIn(),
    returns=NewTokenOut(),
    status=201,
    location="/api/v1/tokens/{0.id}",
    etag=True,
    errors=(Forbidden, EmailUnconfirmed, ReauthenticationRequired),
)
def create(actor: Actor, body: dict[str, Any]) -> Any:
    """Requires a token from a sign-in of the last 15 minutes; a personal token cannot create
    another: 403. A scope that the request's token lacks is 403.

    By default the new token expires after 90 days, and after one year at most; both are settings
    of the service. The owner gets a mail now and seven days before it expires.
    """
    token, secret = personal_tokens.create(actor, users.get(actor, actor.id), **body)
    return _token_row(token, token=secret)


@bp.get("/<id:token_id>")
@operation(
    id="getPersonalToken",
    summary="Get a personal token",
    scopes=READ,
    returns=TokenOut(),
    etag=True,
    errors=(NotFound,),
)
def show(actor: Actor, token_id: str) -> Any:
    return _token_row(personal_tokens.get(actor, token_id))


@bp.delete("/<id:token_id>")
@operation(
    id="deletePersonalToken",
    summary="Revoke a personal token",
    scopes=WRITE,
    status=204,
    if_match=True,
    errors=(NotFound, PreconditionFailed),
)
def delete(actor: Actor, token_id: str, expect: Expect) -> None:
    """The token stops working at once."""
    personal_tokens.revoke(actor, token_id, expect)


def _token_row(row: Token, **more: str) -> SimpleNamespace:
    names = [name for name in TokenOut().fields if name != "scopes"]
    values = {name: getattr(row, name) for name in names}
    version = personal_tokens.version(row)
    return SimpleNamespace(**values, scopes=row.scopes.split(), version=version, **more)
