"""Second factors: authenticator apps, passkeys, recovery codes, and their reset by an admin."""

from types import SimpleNamespace
from typing import Any, ClassVar

from flask import Blueprint
from marshmallow import Schema, fields

from app.api.http.declaration import ListQuery
from app.api.http.operation import operation
from app.errors import Conflict, EmailUnconfirmed, NotFound, ReauthenticationRequired
from app.models import Factor
from app.models.factor import KINDS
from app.product import NAME
from app.schemas.fields import Identifier, Moment, Password, Strict, Text, choice
from app.services.factors import factors, recovery_codes, totp
from app.services.factors.totp import SetUp
from app.services.shared.actor import Actor
from app.services.shared.paging import Page, PageRequest
from app.services.users import users

bp = Blueprint("factors", __name__, url_prefix="/users")
READ, WRITE = ("profile:read",), ("profile:write",)
URI = f"otpauth://totp/{NAME}:ann?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer={NAME}"


class Proof(Strict):
    current_password = Password(
        metadata={
            "format": "password",
            "description": "Required if the account has a password. Otherwise the token must come "
            "from a sign-in of the last 15 minutes.",
        }
    )
    example: ClassVar[dict[str, Any]] = {"current_password": "seven plums and a pear"}


class Otp(Strict):
    otp = Text(required=True, metadata={"description": "The current code of the app."})
    example: ClassVar[dict[str, Any]] = {"otp": "492039"}


class FactorOut(Schema):
    id = Identifier(required=True)
    kind = choice(KINDS, required=True)
    name = Text(required=True)
    created_at = Moment(required=True)
    last_used_at = Moment(required=True, allow_none=True)


class TotpSetUp(Schema):
    secret = Text(required=True, metadata={"example": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"})
    uri = Text(required=True, metadata={"description": "The content of a QR code.", "example": URI})


class RecoveryCodes(Schema):
    recovery_codes = fields.List(
        Text(metadata={"example": "k3v7qa-x2mpd5-rw6t4e-bn7uzc"}),
        required=True,
        metadata={"description": "Returned only once. Each works once, instead of an app's code."},
    )


class RecoveryCodesLeft(Schema):
    left = fields.Integer(required=True, metadata={"description": "Unused codes.", "example": 9})


@bp.get("/me/factors")
@operation(
    id="listMyFactors",
    summary="List my second factors",
    scopes=READ,
    before_factor=True,
    query=ListQuery(),
    returns=FactorOut(),
)
def index(actor: Actor, query: dict[str, Any], paging: PageRequest) -> Page[Factor]:
    """Factors are ordered newest first. If there is any, a sign-in by password requires one."""
    return factors.page(actor, paging, **query)


@bp.post("/me/factors/totp")
@operation(
    id="createTotpFactor",
    summary="Set up an authenticator app",
    scopes=WRITE,
    before_factor=True,
    body=Proof(),
    returns=TotpSetUp(),
    errors=(ReauthenticationRequired, EmailUnconfirmed, Conflict),
)
def begin_totp(actor: Actor, body: dict[str, str]) -> SetUp:
    """Returns a TOTP secret (RFC 6238: SHA-1, 6 digits, 30 seconds). The factor becomes active when
    a code confirms it within 10 minutes. An account can have up to five apps."""
    return totp.begin(actor, body.get("current_password"))


@bp.post("/me/factors/totp/confirm")
@operation(
    id="confirmTotpFactor",
    summary="Confirm an authenticator app",
    scopes=WRITE,
    before_factor=True,
    body=Otp(),
    returns=RecoveryCodes(),
    errors=(EmailUnconfirmed, Conflict),
)
def confirm_totp(actor: Actor, body: dict[str, str]) -> SimpleNamespace:
    """From now on a sign-in by password requires a code. All other sign-ins end; personal tokens
    stay valid. The first factor returns recovery codes; for a further factor the list is empty."""
    return SimpleNamespace(recovery_codes=totp.confirm(actor, **body))


@bp.post("/me/factors/<id:factor_id>/remove")
@operation(
    id="removeMyFactor",
    summary="Remove a second factor",
    scopes=WRITE,
    before_factor=True,
    body=Proof(),
    status=204,
    errors=(ReauthenticationRequired, NotFound, Conflict),
)
def remove(actor: Actor, factor_id: str, body: dict[str, str]) -> None:
    """Removing the last factor also deletes the recovery codes. 409 if the account could no longer
    sign in."""
    factors.remove(actor, factor_id, body.get("current_password"))


@bp.get("/me/recovery-codes")
@operation(
    id="getRecoveryCodeCount",
    summary="Get my recovery code count",
    scopes=READ,
    before_factor=True,
    returns=RecoveryCodesLeft(),
)
def recovery_codes_left(actor: Actor) -> SimpleNamespace:
    return SimpleNamespace(left=recovery_codes.left(actor.id))


@bp.post("/me/recovery-codes")
@operation(
    id="replaceRecoveryCodes",
    summary="Replace my recovery codes",
    scopes=WRITE,
    before_factor=True,
    body=Proof(),
    returns=RecoveryCodes(),
    errors=(ReauthenticationRequired, Conflict),
)
def renew_recovery_codes(actor: Actor, body: dict[str, str]) -> SimpleNamespace:
    """Invalidates all earlier codes. 409 if the account has no second factor."""
    codes = recovery_codes.renew(actor, body.get("current_password"))
    return SimpleNamespace(recovery_codes=codes)


@bp.delete("/<id:user_id>/factors")
@operation(
    id="deleteUserFactors",
    summary="Reset a user's second factors",
    scopes=("admin",),
    status=204,
    errors=(ReauthenticationRequired, NotFound),
)
def reset(actor: Actor, user_id: str) -> None:
    """Deletes all second factors of a user who lost them: the next sign-in needs the password
    only. All sign-ins of the user end.

    Requires a token from a sign-in of the last 15 minutes, or a personal token.
    """
    factors.reset(actor, users.get(actor, user_id))
