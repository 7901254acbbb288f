"""Accounts: one's own, everybody's for an admin."""

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
from app.services.shared.paging import Page
from app.services.shared.preconditions import Expect
from app.services.users import registration, users

bp = Blueprint("users", __name__, url_prefix="/users")


@bp.post("")
@operation(
    id="createUser",
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
    """403 where registration is closed, 409 where the username or the email is taken.

    20 accounts an hour are opened from one network (an IPv4 address, an IPv6 /64), and 100 times an
    hour it gets 409, then 429.
    """
    registration.require_open(current_app.config["REGISTRATION_OPEN"])
    return registration.register(origin, **body)


@bp.get("/me")
@operation(
    id="getMyAccount",
    summary="Read one's own account",
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
    summary="Change one's own account",
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
    """A new password ends every other session and token of the account. Where mail is set up, a new
    email counts once the link that is mailed there was followed: the answer shows the old one.
    """
    proof = body.pop("current_password", None)
    return accounts.update_self(actor, body, proof, expect)


@bp.delete("/me")
@operation(
    id="deleteMyAccount",
    summary="Delete one's own account",
    scopes=("profile:write",),
    status=204,
    if_match=True,
    errors=(ReauthenticationRequired, Conflict, PreconditionFailed),
)
def delete_me(actor: Actor, expect: Expect) -> None:
    """Needs a sign-in not older than 15 minutes. One's tasks go too."""
    authentication.require_recent(actor)
    accounts.delete(actor, actor.id, expect)


@bp.post("/me/confirmation")
@operation(
    id="requestEmailConfirmation",
    summary="Mail the link that confirms one's address again",
    scopes=("profile:write",),
    before_factor=True,
    status=202,
    errors=(NoMail, Conflict),
)
def ask_to_confirm(actor: Actor) -> None:
    """409 where it is confirmed already. Older links are void."""
    email_confirmation.ask(actor)


@bp.get("/me/export")
@operation(
    id="exportMyAccount",
    summary="Export one's own account",
    scopes=("profile:read",),
    returns=AccountExport(),
)
def export_me(actor: Actor) -> SimpleNamespace:
    """All that is held on one, as JSON; secrets and their hashes left out."""
    return SimpleNamespace(**account_export.export(actor))


@bp.get("/by-username/<username>")
@operation(
    id="getUserByUsername",
    summary="Find an account by its username",
    scopes=(),
    returns=PublicUser(),
    errors=(NotFound,),
)
def by_username(_actor: Actor, username: str) -> User:
    """For anyone signed in, so that a task can be assigned."""
    return users.by_username(username)


@bp.get("")
@operation(
    id="listUsers", summary="List accounts", scopes=("admin",), query=UserQuery(), returns=UserOut()
)
def index(actor: Actor, query: dict[str, Any], **paging: Any) -> Page[User]:
    """The newest first."""
    return users.page(actor, **query, **paging)


@bp.post("/invitations")
@operation(
    id="inviteUser",
    summary="Invite somebody",
    scopes=("admin",),
    body=NewInvitation(),
    returns=UserOut(),
    status=201,
    location="/api/v1/users/{0.id}",
    etag=True,
    errors=(NoMail, ReauthenticationRequired, Conflict),
)
def invite(actor: Actor, body: dict[str, str]) -> User:
    """Opens an account and mails a link to set its password, within three days."""
    return invitations.invite(actor, **body)


@bp.post("/<id:user_id>/invitation")
@operation(
    id="resendUserInvitation",
    summary="Mail an invitation again",
    scopes=("admin",),
    status=202,
    errors=(NoMail, NotFound, Conflict),
)
def invite_again(actor: Actor, user_id: str) -> None:
    """409 where it was accepted. Older links are void."""
    invitations.invite_again(actor, user_id)


@bp.get("/names")
@operation(
    id="listUserNames",
    summary="Get the usernames of ids",
    scopes=(),
    query=NamesQuery(),
    returns=UserNamesOut(),
)
def names(actor: Actor, query: dict[str, Any]) -> SimpleNamespace:
    """Of active and deactivated accounts, ordered by id. Ids of no account are left out."""
    wanted = sorted(set(query.get("id", ())))
    found = display_names.of_users(actor, wanted)
    return SimpleNamespace(items=[{"id": i, "username": found[i]} for i in wanted if i in found])


@bp.get("/<id:user_id>")
@operation(
    id="getUser",
    summary="Get an account",
    scopes=(),
    returns=UserOut(),
    variants={users.PublicRecord: PublicUser()},
    etag=True,
    reads=users.BY_ID,
    errors=(NotFound,),
)
def show(actor: Actor, user_id: str, record: User | None) -> User | users.PublicRecord:
    """The whole record for its owner (a token with `profile:read`) and for admins (`admin`); id,
    username and `created_at` for everybody else who is signed in.
    """
    return users.visible(actor, user_id, record)


@bp.patch("/<id:user_id>")
@operation(
    id="updateUser",
    summary="Change an account",
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

    Role, state and email take a login of the last 15 minutes, or a personal token.
    """
    return accounts.update(actor, user_id, body, expect)


@bp.delete("/<id:user_id>")
@operation(
    id="deleteUser",
    summary="Delete an account",
    scopes=("admin",),
    status=204,
    if_match=True,
    errors=(ReauthenticationRequired, NotFound, Conflict, PreconditionFailed),
)
def delete(actor: Actor, user_id: str, expect: Expect) -> None:
    """The tasks that it owns go too. Takes a login of the last 15 minutes, or a personal token."""
    accounts.delete(actor, user_id, expect)
