"""Sign-in and sign-out by tokens, token refresh, password reset and email confirmation."""

from typing import Any, ClassVar

from flask import Blueprint
from marshmallow import Schema, fields

from app.api.http.operation import operation
from app.api.user_schemas import EMAIL, NewPassword
from app.errors import (
    BadCredentials,
    BadOtp,
    Conflict,
    Forbidden,
    InvalidGrant,
    NoMail,
    OtpRequired,
    VoidLink,
)
from app.models.registry import SCOPES
from app.product import TOKEN_PREFIX
from app.schemas.fields import Password, Strict, Text
from app.services.access import token_pairs
from app.services.access.token_pairs import Pair
from app.services.accounts import email_confirmation, password_reset
from app.services.shared.actor import Actor

TOKEN = TOKEN_PREFIX + "0000000000000000000000000000000000000000000000000"
bp = Blueprint("auth", __name__, url_prefix="/auth")


class SignIn(Strict):
    identifier = Text(required=True, metadata={"description": "Email or username, in any case."})
    password = Password(required=True, metadata={"format": "password"})
    otp = Text(
        metadata={
            "description": "Required if the account has a second factor: a code of its "
            "authenticator app, or a recovery code. Each code works once.",
            "example": "492039",
        }
    )
    example: ClassVar[dict[str, Any]] = {"identifier": "ann", "password": "seven plums and a pear"}


class Forgotten(Strict):
    email = Text(required=True, metadata=EMAIL)
    example: ClassVar[dict[str, Any]] = {"email": "ann@example.com"}


class NewPasswordByLink(Strict):
    token = Text(required=True, metadata={"description": "The last segment of the link's URL."})
    password = NewPassword(required=True)
    example: ClassVar[dict[str, Any]] = {"token": TOKEN, "password": "nine apples, no pear"}


class ProofOfEmail(Strict):
    token = Text(required=True, metadata={"description": "The last segment of the link's URL."})
    password = Password(
        metadata={
            "format": "password",
            "description": "The account's password, if the request has no token of the account.",
        }
    )
    example: ClassVar[dict[str, Any]] = {"token": TOKEN, "password": "seven plums and a pear"}


class Refresh(Strict):
    refresh_token = Text(required=True)
    example: ClassVar[dict[str, Any]] = {"refresh_token": TOKEN}


class TokenPair(Schema):
    """An access token response (RFC 6749, 5.1)."""

    access_token = Text(required=True, metadata={"example": TOKEN})
    token_type = Text(required=True, metadata={"enum": ["Bearer"], "example": "Bearer"})
    expires_in = fields.Integer(
        required=True, metadata={"description": "In seconds.", "example": 3600}
    )
    refresh_token = Text(required=True, metadata={"example": TOKEN})
    scope = Text(
        required=True,
        metadata={"description": "The scopes, separated by spaces.", "example": next(iter(SCOPES))},
    )


@bp.post("/login")
@operation(
    id="signIn",
    summary="Sign in",
    scopes=None,
    body=SignIn(),
    returns=TokenPair(),
    errors=(BadCredentials, OtpRequired, BadOtp),
)
def login(origin: Actor, body: dict[str, str]) -> Pair:
    """Returns an access token valid for one hour and a refresh token valid for 30 days.

    If the account has a second factor, a missing `otp` is 401 `/problems/otp-required` and a wrong
    `otp` is 401 `/problems/bad-otp`. After 5 wrong codes in 5 minutes the answer is 429. App codes
    and recovery codes are counted separately; a new password resets both counts.
    """
    return token_pairs.sign_in(origin, **body)


@bp.post("/refresh")
@operation(
    id="refreshTokens",
    summary="Refresh tokens",
    scopes=None,
    body=Refresh(),
    returns=TokenPair(),
    errors=(InvalidGrant,),
)
def refresh(origin: Actor, body: dict[str, str]) -> Pair:
    """Returns a new token pair and invalidates the refresh token.

    The same refresh token sent again within 10 seconds returns another pair, so that parallel
    clients and lost responses stay signed in. Sent again later, it revokes all tokens of the
    sign-in. A sign-in expires after 90 days.
    """
    return token_pairs.refresh(origin, **body)


@bp.post("/logout")
@operation(id="signOut", summary="Sign out", scopes=(), status=204, before_factor=True)
def logout(actor: Actor) -> None:
    """Revokes the token of this request and all other tokens of the same sign-in at once."""
    token_pairs.logout(actor)


@bp.post("/forgot")
@operation(
    id="requestPasswordReset",
    summary="Request a password reset",
    scopes=None,
    body=Forgotten(),
    status=202,
    errors=(NoMail,),
)
def forgot(origin: Actor, body: dict[str, str]) -> None:
    """Emails a reset link to the account with this address. The response is the same if there is no
    such account.

    The service sends an address one mail in 5 minutes and 10 a day; further requests are accepted
    and send nothing. The links of the last three mails are valid for 24 hours.
    """
    password_reset.ask(origin, **body)


@bp.post("/reset")
@operation(
    id="resetPassword",
    summary="Set a password with a mailed link",
    scopes=None,
    body=NewPasswordByLink(),
    status=204,
    errors=(VoidLink,),
)
def reset(origin: Actor, body: dict[str, str]) -> None:
    """Takes the token of a reset or invitation link. The token works once. All sessions and tokens
    of the account end."""
    password_reset.follow(origin, body["token"], body["password"])


@bp.post("/confirm")
@operation(
    id="confirmEmail",
    summary="Confirm an email address",
    scopes=("profile:write",),
    before_factor=True,
    token_optional=True,
    body=ProofOfEmail(),
    status=204,
    errors=(VoidLink, BadCredentials, Forbidden, Conflict),
)
def confirm(actor: Actor, body: dict[str, str]) -> None:
    """Takes the token of a confirmation link and either the account's bearer token or its
    `password`: 401 without both, 403 with another account's token.

    A new address replaces the account's address: 409 if another account uses it by now. The first
    confirmation of an account ends its other sessions and tokens, and removes the credentials and
    webhooks that were added before.
    """
    email_confirmation.follow(actor, body["token"], body.get("password"))
