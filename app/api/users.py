"""Accounts: one's own, everybody's for an admin."""

from types import SimpleNamespace
from typing import Any

from flask import Blueprint, current_app

from app.api.operation import operation
from app.api.reading import JSON, MERGE_PATCH
from app.api.user_schemas import (
    AccountExport,
    MyChanges,
    NewUser,
    PublicUser,
    UserChanges,
    UserOut,
    UserQuery,
)
from app.errors import (
    Conflict,
    Forbidden,
    NotFound,
    PreconditionFailed,
    ReauthenticationRequired,
)
from app.models import User
from app.services import account_export, accounts, authentication, registration, users
from app.services.actor import Actor
from app.services.paging import Page
from app.services.preconditions import Expect

bp = Blueprint("users", __name__, url_prefix="/users")


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
