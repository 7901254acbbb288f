"""Signing in: a pair of tokens for a password, a new pair for a refresh token, the end of both."""

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
from app.schemas.fields import Password, Strict, Text
from app.services.access import token_pairs
from app.services.access.token_pairs import Pair
from app.services.accounts import email_confirmation, password_reset
from app.services.shared.actor import Actor

TOKEN = "fst_0000000000000000000000000000000000000000000000000"  # noqa: S105 - an example
bp = Blueprint("auth", __name__, url_prefix="/auth")


class SignIn(Strict):
    identifier = Text(required=True, metadata={"description": "Email or username, without case."})
    password = Password(required=True, metadata={"format": "password"})
    otp = Text(
        metadata={
            "description": "Where the account has a second factor: the code that its app shows, or "
            "one of the recovery codes. Each works once.",
            "example": "492039",
        }
    )
    example: ClassVar[dict[str, Any]] = {"identifier": "ann", "password": "seven plums and a pear"}


class Forgotten(Strict):
    email = Text(required=True, metadata=EMAIL)
    example: ClassVar[dict[str, Any]] = {"email": "ann@example.com"}


class NewPasswordByLink(Strict):
    token = Text(required=True, metadata={"description": "The last part of the link."})
    password = NewPassword(required=True)
    example: ClassVar[dict[str, Any]] = {"token": TOKEN, "password": "nine apples, no pear"}


class ProofOfEmail(Strict):
    token = Text(required=True, metadata={"description": "The last part of the link."})
    password = Password(
        metadata={
            "format": "password",
            "description": "Of the account, where the request bears no token of it.",
        }
    )
    example: ClassVar[dict[str, Any]] = {"token": TOKEN, "password": "seven plums and a pear"}


class Refresh(Strict):
    refresh_token = Text(required=True)
    example: ClassVar[dict[str, Any]] = {"refresh_token": TOKEN}


class TokenPair(Schema):
    """RFC 6749, 5.1."""

    access_token = Text(required=True, metadata={"example": TOKEN})
    token_type = Text(required=True, metadata={"enum": ["Bearer"], "example": "Bearer"})
    expires_in = fields.Integer(
        required=True, metadata={"description": "Seconds.", "example": 3600}
    )
    refresh_token = Text(required=True, metadata={"example": TOKEN})
    scope = Text(
        required=True,
        metadata={"description": "The scopes, separated by spaces.", "example": "tasks:read"},
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
    """An access token for an hour and a refresh token for 30 days, for a password.

    Where the account has a second factor and no `otp` came: 401 `/problems/otp-required`. A wrong
    one is 401 `/problems/bad-otp`, and after 5 in 5 minutes 429: codes and recovery codes are
    counted apart, and anew for a new password.
    """
    return token_pairs.sign_in(origin, **body)


@bp.post("/refresh")
@operation(
    id="refreshTokens",
    summary="Refresh a sign-in",
    scopes=None,
    body=Refresh(),
    returns=TokenPair(),
    errors=(InvalidGrant,),
)
def refresh(origin: Actor, body: dict[str, str]) -> Pair:
    """A new pair; the old refresh token is spent.

    Sent again within 10 s, it gives a further pair of the same sign-in, so that parallel tabs and
    lost answers keep it. Sent again later, it ends the whole sign-in, which also ends 90 days after
    its beginning.
    """
    return token_pairs.refresh(origin, **body)


@bp.post("/logout")
@operation(id="signOut", summary="Sign out", scopes=(), status=204, before_factor=True)
def logout(actor: Actor) -> None:
    """End the token in use at once, and all that came from the same sign-in."""
    token_pairs.logout(actor)


@bp.post("/forgot")
@operation(
    id="requestPasswordReset",
    summary="Ask for a new password",
    scopes=None,
    body=Forgotten(),
    status=202,
    errors=(NoMail,),
)
def forgot(origin: Actor, body: dict[str, str]) -> None:
    """Mails a link to the account with this address. The answer is the same where there is none.

    One mail leaves for an address in 5 minutes, and 10 a day: what is asked beyond that is accepted
    and sends nothing. The links of the last three mails work for 24 hours.
    """
    password_reset.ask(origin, **body)


@bp.post("/reset")
@operation(
    id="resetPassword",
    summary="Set a password by a link",
    scopes=None,
    body=NewPasswordByLink(),
    status=204,
    errors=(VoidLink,),
)
def reset(origin: Actor, body: dict[str, str]) -> None:
    """By the link of a mail, an invitation too. It works once, and ends every session and token."""
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
    """Takes the link of a mail, and the account's bearer token or its `password`: 401 without both,
    403 with another account's token.

    A new address becomes the account's: 409 where it was taken since. The first proof of an account
    ends its other sessions and tokens, and removes what was added before.
    """
    email_confirmation.follow(actor, body["token"], body.get("password"))
