"""Second factors: one's own app, passkeys and recovery codes; an admin resets those of others."""

from types import SimpleNamespace
from typing import Any, ClassVar

from flask import Blueprint
from marshmallow import Schema, fields

from app.api.http.operation import ListQuery, operation
from app.errors import Conflict, EmailUnconfirmed, NotFound, ReauthenticationRequired
from app.models import Factor
from app.models.factor import KINDS
from app.schemas.fields import Identifier, Moment, Password, Strict, Text, choice
from app.services.factors import factors, recovery_codes, totp
from app.services.factors.totp import SetUp
from app.services.shared.actor import Actor
from app.services.shared.paging import Page
from app.services.users import users

bp = Blueprint("factors", __name__, url_prefix="/users")
READ, WRITE = ("profile:read",), ("profile:write",)
URI = "otpauth://totp/Flagstone:ann?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Flagstone"


class Proof(Strict):
    current_password = Password(
        metadata={
            "format": "password",
            "description": "Needed where the account has one; else a login of the last 15 minutes.",
        }
    )
    example: ClassVar[dict[str, Any]] = {"current_password": "seven plums and a pear"}


class Otp(Strict):
    otp = Text(required=True, metadata={"description": "The code that the app shows now."})
    example: ClassVar[dict[str, Any]] = {"otp": "492039"}


class FactorOut(Schema):
    id = Identifier(required=True)
    kind = choice(KINDS, required=True)
    name = Text(required=True)
    created_at = Moment(required=True)
    last_used_at = Moment(required=True, allow_none=True)


class TotpSetUp(Schema):
    secret = Text(required=True, metadata={"example": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"})
    uri = Text(
        required=True, metadata={"description": "What a QR code holds for an app.", "example": URI}
    )


class RecoveryCodes(Schema):
    recovery_codes = fields.List(
        Text(metadata={"example": "k3v7qa-x2mpd5-rw6t4e-bn7uzc"}),
        required=True,
        metadata={"description": "Shown this once. Each works once, in place of a code."},
    )


class RecoveryCodesLeft(Schema):
    left = fields.Integer(required=True, metadata={"description": "Not used yet.", "example": 9})


@bp.get("/me/factors")
@operation(
    id="listMyFactors",
    summary="List one's second factors",
    scopes=READ,
    before_factor=True,
    query=ListQuery(),
    returns=FactorOut(),
)
def index(actor: Actor, query: dict[str, Any], **paging: Any) -> Page[Factor]:
    """The newest first. Signing in with the password takes one of them, where there is any."""
    return factors.page(actor, **query, **paging)


@bp.post("/me/factors/totp")
@operation(
    id="createTotpFactor",
    summary="Begin to set up an authenticator app",
    scopes=WRITE,
    before_factor=True,
    body=Proof(),
    returns=TotpSetUp(),
    errors=(ReauthenticationRequired, EmailUnconfirmed, Conflict),
)
def begin_totp(actor: Actor, body: dict[str, str]) -> SetUp:
    """A secret for an app (RFC 6238: SHA-1, 6 digits, 30 seconds). It counts once it is confirmed,
    within 10 minutes. An account may have five apps, so that a phone is replaced without a gap."""
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
    """From now on signing in takes a code. Every other login ends, of personal tokens none. With
    the first factor come recovery codes; with a further one the list is empty."""
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
    """With the last one the recovery codes go too. 409 where it is the last way to sign in."""
    factors.remove(actor, factor_id, body.get("current_password"))


@bp.get("/me/recovery-codes")
@operation(
    id="getRecoveryCodeCount",
    summary="Count one's recovery codes",
    scopes=READ,
    before_factor=True,
    returns=RecoveryCodesLeft(),
)
def recovery_codes_left(actor: Actor) -> SimpleNamespace:
    return SimpleNamespace(left=recovery_codes.left(actor.id))


@bp.post("/me/recovery-codes")
@operation(
    id="replaceRecoveryCodes",
    summary="Make new recovery codes",
    scopes=WRITE,
    before_factor=True,
    body=Proof(),
    returns=RecoveryCodes(),
    errors=(ReauthenticationRequired, Conflict),
)
def renew_recovery_codes(actor: Actor, body: dict[str, str]) -> SimpleNamespace:
    """Those made before are void. 409 where there is no second factor."""
    codes = recovery_codes.renew(actor, body.get("current_password"))
    return SimpleNamespace(recovery_codes=codes)


@bp.delete("/<id:user_id>/factors")
@operation(
    id="deleteUserFactors",
    summary="Reset the second factors of an account",
    scopes=("admin",),
    status=204,
    errors=(ReauthenticationRequired, NotFound),
)
def reset(actor: Actor, user_id: str) -> None:
    """For somebody who lost them: its next login takes the password alone, and all others end.

    Takes a login of the last 15 minutes, or a personal token.
    """
    factors.reset(actor, users.get(actor, user_id))
