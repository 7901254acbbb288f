"""User accounts: the caller's own, and all accounts for admins."""

from types import SimpleNamespace
from typing import Any

from flask import Blueprint, current_app

from app.api.http.operation import operation
from app.api.http.request_parsing import JSON, MERGE_PATCH
from app.api.user_schemas import (
    AccountExport,
    MyChanges,
    NamesQuery,
    NewInvitation,
    NewUser,
    PublicUser,
    UserChanges,
    UserNamesOut,
    UserOut,
    UserQuery,
)
from app.errors import (
    Conflict,
    Forbidden,
    NoMail,
    NotFound,
    PreconditionFailed,
    ReauthenticationRequired,
)
from app.models import User
from app.services.accounts import (
    accounts,
    email_confirmation,
    export as account_export,
    invitations,
)
from app.services.authentication import authentication
from app.services.shared import display_names
from app.services.shared.actor import Actor
from app.services.shared.paging import Page, PageRequest
from app.services.shared.preconditions import Expect
from app.services.users import registration, users

bp = Blueprint("users", __name__, url_prefix="/users")


@bp.post("")
@operation(
    id="createUser",
    summary="Create an account",
    scopes=None,
    body=NewUser(),
    returns=UserOut(),
    status=201,
    location="/api/v1/users/{0.id}",
    etag=True,
    errors=(Forbidden, Conflict),
)
def create(origin: Actor, body: dict[str, str]) -> User:
    """Registers a user: 403 if registration is closed, 409 if the username or email is taken.

    One network (an IPv4 address or an IPv6 /64) can create 20 accounts an hour and gets up to 100
    conflicts (409) an hour; beyond that the answer is 429.
    """
    registration.require_open(current_app.config["REGISTRATION_OPEN"])
    return registration.register(origin, **body)


@bp.get("/me")
@operation(
    id="getMyAccount",
    summary="Get my account",
    scopes=("profile:read",),
    before_factor=True,
    returns=UserOut(),
    etag=True,
    reads=users.HOLDER,
)
def me(actor: Actor, record: User | None) -> User:
    return record or users.get(actor, actor.id)


@bp.patch("/me")
@operation(
    id="updateMyAccount",
    summary="Update my account",
    scopes=("profile:write",),
    before_factor=True,
    body=MyChanges(),
    body_types=(JSON, MERGE_PATCH),
    returns=UserOut(),
    etag=True,
    if_match=True,
    errors=(Conflict, PreconditionFailed),
)
def update_me(actor: Actor, body: dict[str, Any], expect: Expect) -> User:
    """A new password ends all other sessions and tokens of the account. If the service sends mail,
    a new email takes effect when its owner opens the mailed link; until then the old one stays.
    """
    proof = body.pop("current_password", None)
    return accounts.update_self(actor, body, proof, expect)


@bp.delete("/me")
@operation(
    id="deleteMyAccount",
    summary="Delete my account",
    scopes=("profile:write",),
    status=204,
    if_match=True,
    errors=(ReauthenticationRequired, Conflict, PreconditionFailed),
)
def delete_me(actor: Actor, expect: Expect) -> None:
    """Requires a sign-in of the last 15 minutes. Deletes the account's tasks too."""
    authentication.require_recent(actor)
    accounts.delete(actor, actor.id, expect)


@bp.post("/me/confirmation")
@operation(
    id="requestEmailConfirmation",
    summary="Request an email confirmation",
    scopes=("profile:write",),
    before_factor=True,
    status=202,
    errors=(NoMail, Conflict),
)
def ask_to_confirm(actor: Actor) -> None:
    """Sends a new confirmation link and invalidates older links. 409 if the email is already
    confirmed."""
    email_confirmation.ask(actor)


@bp.get("/me/export")
@operation(
    id="exportMyAccount",
    summary="Export my account",
    scopes=("profile:read",),
    returns=AccountExport(),
)
def export_me(actor: Actor) -> SimpleNamespace:
    """Returns all data stored about the caller as JSON, without secrets and their hashes."""
    return SimpleNamespace(**account_export.export(actor))


@bp.get("/by-username/<username>")
@operation(
    id="getUserByUsername",
    summary="Get a user by username",
    scopes=(),
    returns=PublicUser(),
    errors=(NotFound,),
)
def by_username(_actor: Actor, username: str) -> User:
    """Any valid token may call this, for example to find the assignee of a task."""
    return users.by_username(username)


@bp.get("")
@operation(
    id="listUsers", summary="List users", scopes=("admin",), query=UserQuery(), returns=UserOut()
)
def index(actor: Actor, query: dict[str, Any], paging: PageRequest) -> Page[User]:
    """Users are ordered newest first."""
    return users.page(actor, paging, **query)


@bp.post("/invitations")
@operation(
    id="inviteUser",
    summary="Invite a user",
    scopes=("admin",),
    body=NewInvitation(),
    returns=UserOut(),
    status=201,
    location="/api/v1/users/{0.id}",
    etag=True,
    errors=(NoMail, ReauthenticationRequired, Conflict),
)
def invite(actor: Actor, body: dict[str, str]) -> User:
    """Creates an account and emails a link that sets its password, valid for three days."""
    return invitations.invite(actor, **body)


@bp.post("/<id:user_id>/invitation")
@operation(
    id="resendUserInvitation",
    summary="Resend an invitation",
    scopes=("admin",),
    status=202,
    errors=(NoMail, NotFound, Conflict),
)
def invite_again(actor: Actor, user_id: str) -> None:
    """Sends a new link and invalidates older links. 409 if the invitation was accepted."""
    invitations.invite_again(actor, user_id)


@bp.get("/names")
@operation(
    id="listUserNames",
    summary="List usernames by id",
    scopes=(),
    query=NamesQuery(),
    returns=UserNamesOut(),
)
def names(actor: Actor, query: dict[str, Any]) -> SimpleNamespace:
    """Covers active and deactivated accounts, ordered by id. Unknown ids are omitted."""
    wanted = sorted(set(query.get("id", ())))
    found = display_names.of_users(actor, wanted)
    return SimpleNamespace(items=[{"id": i, "username": found[i]} for i in wanted if i in found])


@bp.get("/<id:user_id>")
@operation(
    id="getUser",
    summary="Get a user",
    scopes=(),
    returns=UserOut(),
    variants={users.PublicRecord: PublicUser()},
    etag=True,
    reads=users.BY_ID,
    errors=(NotFound,),
)
def show(actor: Actor, user_id: str, record: User | None) -> User | users.PublicRecord:
    """Returns the full record to its owner (scope `profile:read`) and to admins (scope `admin`);
    to all other callers only `id`, `username` and `created_at`.
    """
    return users.visible(actor, user_id, record)


@bp.patch("/<id:user_id>")
@operation(
    id="updateUser",
    summary="Update a user",
    scopes=("admin",),
    body=UserChanges(),
    body_types=(JSON, MERGE_PATCH),
    returns=UserOut(),
    etag=True,
    if_match=True,
    errors=(ReauthenticationRequired, NotFound, Conflict, PreconditionFailed),
)
def update(actor: Actor, user_id: str, body: dict[str, Any], expect: Expect) -> User:
    """The last active admin can be neither demoted nor deactivated: 409.

    A change of role, state or email requires a token from a sign-in of the last 15 minutes, or a
    personal token.
    """
    return accounts.update(actor, user_id, body, expect)


@bp.delete("/<id:user_id>")
@operation(
    id="deleteUser",
    summary="Delete a user",
    scopes=("admin",),
    status=204,
    if_match=True,
    errors=(ReauthenticationRequired, NotFound, Conflict, PreconditionFailed),
)
def delete(actor: Actor, user_id: str, expect: Expect) -> None:
    """Deletes the user's tasks too. Requires a token from a sign-in of the last 15 minutes, or a
    personal token."""
    accounts.delete(actor, user_id, expect)
