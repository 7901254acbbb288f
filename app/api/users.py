"""Accounts: one's own, everybody's for an admin."""

from collections.abc import Collection
from types import SimpleNamespace
from typing import Any, ClassVar

from flask import Blueprint, current_app
from marshmallow import Schema, fields

from app.api.examples import ID, MOMENT
from app.api.operation import ListQuery, operation
from app.api.reading import JSON, MERGE_PATCH
from app.errors import (
    Conflict,
    Forbidden,
    NotFound,
    PreconditionFailed,
    ReauthenticationRequired,
)
from app.fields import Flag, Identifier, Moment, Strict, Text, choice
from app.models import User
from app.models.user import EMAIL_MAX, PASSWORD_MAX, ROLES, USERNAME_MAX, USERNAME_MIN
from app.services import account_export, accounts, authentication, registration, users
from app.services.actor import Actor
from app.services.paging import Page

bp = Blueprint("users", __name__, url_prefix="/users")
Expect = Collection[int] | None

# The rules are the service's, which reports them by field: here they are told.
_USERNAME = {
    "minLength": USERNAME_MIN,
    "maxLength": USERNAME_MAX,
    "pattern": "^[A-Za-z0-9._-]+$",
}
_EMAIL = {"format": "email", "maxLength": EMAIL_MAX}
_PASSWORD = {"format": "password", "minLength": 8, "maxLength": PASSWORD_MAX}


class UserOut(Schema):
    id = Identifier(required=True)
    username = Text(required=True)
    email = Text(required=True, metadata={"format": "email"})
    role = choice(ROLES, required=True)
    is_active = Flag(required=True)
    email_verified = Flag(required=True)
    created_at = Moment(required=True)
    updated_at = Moment(required=True)
    example: ClassVar[dict[str, Any]] = {
        "id": ID,
        "username": "ann",
        "email": "ann@example.com",
        "role": "user",
        "is_active": True,
        "email_verified": False,
        "created_at": MOMENT,
        "updated_at": MOMENT,
    }


class PublicUser(Schema):
    id = Identifier(required=True)
    username = Text(required=True)
    created_at = Moment(required=True)


class AccountExport(Schema):
    user = fields.Dict(required=True)
    tasks = fields.List(fields.Dict(), required=True)
    comments = fields.List(fields.Dict(), required=True)
    tokens = fields.List(fields.Dict(), required=True)
    sessions = fields.List(fields.Dict(), required=True)
    sign_in_attempts = fields.List(fields.Dict(), required=True)
    idempotency_records = fields.List(fields.Dict(), required=True)
    audit_events = fields.List(fields.Dict(), required=True)


class NewUser(Strict):
    username = Text(required=True, metadata=_USERNAME)
    email = Text(required=True, metadata=_EMAIL)
    password = Text(required=True, metadata=_PASSWORD)
    example: ClassVar[dict[str, Any]] = {
        "username": "ann",
        "email": "ann@example.com",
        "password": "seven plums and a pear",
    }


class MyChanges(Strict):
    username = Text(metadata=_USERNAME)
    email = Text(metadata=_EMAIL)
    password = Text(metadata=_PASSWORD)
    current_password = Text(
        metadata={"format": "password", "description": "Needed to change email or password."}
    )
    rules: ClassVar[dict[str, Any]] = {
        "dependentRequired": {name: ["current_password"] for name in ("email", "password")}
    }
    example: ClassVar[dict[str, Any]] = {
        "email": "anna@example.com",
        "current_password": "seven plums and a pear",
    }


class UserChanges(Strict):
    username = Text(metadata=_USERNAME)
    email = Text(metadata=_EMAIL)
    role = choice(ROLES)
    is_active = Flag()
    example: ClassVar[dict[str, Any]] = {"role": "admin"}


class UserQuery(ListQuery):
    q = Text(load_default=None, metadata={"description": "A part of the username or the email."})
    role = choice(ROLES, load_default=None, metadata={"description": "Of this role alone."})
    is_active = Flag(
        load_default=None,
        metadata={"description": "Those that may sign in, or those that may not."},
    )


@bp.post("")
@operation(
    summary="Open an account",
    scopes=None,
    body=NewUser(),
    returns=UserOut(),
    status=201,
    location="/api/v1/users/{0.id}",
    etag=True,
    errors=(Forbidden, Conflict),
)
def create(origin: Actor, body: dict[str, str]) -> User:
    """403 where registration is closed, 409 where the username or the email is taken."""
    registration.need_open(current_app.config["REGISTRATION_OPEN"])
    return registration.register(origin, **body)


@bp.get("/me")
@operation(summary="Read one's own account", scopes=("profile:read",), returns=UserOut(), etag=True)
def me(actor: Actor) -> User:
    return users.get(actor, actor.id)


@bp.patch("/me")
@operation(
    summary="Change one's own account",
    scopes=("profile:write",),
    body=MyChanges(),
    body_types=(JSON, MERGE_PATCH),
    returns=UserOut(),
    etag=True,
    if_match=True,
    errors=(Conflict, PreconditionFailed),
)
def update_me(actor: Actor, body: dict[str, Any], expect: Expect) -> User:
    """A new password ends every other session and token of the account."""
    proof = body.pop("current_password", None)
    return accounts.update_self(actor, body, proof, expect)


@bp.delete("/me")
@operation(
    summary="Delete one's own account",
    scopes=("profile:write",),
    status=204,
    if_match=True,
    errors=(ReauthenticationRequired, Conflict, PreconditionFailed),
)
def delete_me(actor: Actor, expect: Expect) -> None:
    """Needs a sign-in not older than 15 minutes. One's tasks go too."""
    authentication.need_recent(actor)
    accounts.delete(actor, actor.id, expect)


@bp.get("/me/export")
@operation(summary="Export one's own account", scopes=("profile:read",), returns=AccountExport())
def export_me(actor: Actor) -> SimpleNamespace:
    """All that is held on one, as JSON; secrets and their hashes left out."""
    return SimpleNamespace(**account_export.export(actor))


@bp.get("/by-username/<username>")
@operation(
    summary="Find an account by its username", scopes=(), returns=PublicUser(), errors=(NotFound,)
)
def by_username(_actor: Actor, username: str) -> User:
    """For anyone signed in, so that a task can be assigned."""
    return users.by_username(username)


@bp.get("")
@operation(summary="List accounts", scopes=("admin",), query=UserQuery(), returns=UserOut())
def index(actor: Actor, query: dict[str, Any], **paging: Any) -> Page[User]:
    """The newest first."""
    return users.page(actor, **query, **paging)


@bp.get("/<id:user_id>")
@operation(
    summary="Read an account",
    scopes=("profile:read", "admin"),
    returns=UserOut(),
    etag=True,
    errors=(NotFound,),
)
def show(actor: Actor, user_id: str) -> User:
    """One's own; anybody's for an admin."""
    return users.get(actor, user_id)


@bp.patch("/<id:user_id>")
@operation(
    summary="Change an account",
    scopes=("admin",),
    body=UserChanges(),
    body_types=(JSON, MERGE_PATCH),
    returns=UserOut(),
    etag=True,
    if_match=True,
    errors=(NotFound, Conflict, PreconditionFailed),
)
def update(actor: Actor, user_id: str, body: dict[str, Any], expect: Expect) -> User:
    """The last active admin can be neither demoted nor deactivated: 409."""
    return accounts.update(actor, user_id, body, expect)


@bp.delete("/<id:user_id>")
@operation(
    summary="Delete an account",
    scopes=("admin",),
    status=204,
    if_match=True,
    errors=(NotFound, Conflict, PreconditionFailed),
)
def delete(actor: Actor, user_id: str, expect: Expect) -> None:
    """The tasks that it owns go too."""
    accounts.delete(actor, user_id, expect)
