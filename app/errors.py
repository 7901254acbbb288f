"""What can go wrong, in the words of the domain. Knows nothing of Flask.

`status` is the HTTP status that fits, `slug` names the page under /problems/ that explains it.
`fields` says which inputs are to blame: a field's name (as a JSON Pointer without its first slash
where it lies deeper) and what is wrong with it, with its code.
"""

from typing import Any, ClassVar

from app.durations import in_words
from app.faults import Fault


class AppError(Exception):
    """An error that the client may see."""

    status: ClassVar[int] = 500
    slug: ClassVar[str] = "internal-error"
    title: ClassVar[str] = "Internal error"

    def __init__(self, message: str, fields: dict[str, Fault] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fields = fields or {}
        self.index: int | None = None  # of the operation at fault, among many


class Malformed(AppError):
    """The request could not be read at all."""

    status, slug, title = 400, "malformed", "Malformed request"


class Refused(Malformed):
    """The server cannot read the head of the request, for the reason that is its cause."""

    def __init__(self, status: int) -> None:
        super().__init__("The request cannot be read.")
        self.status = status  # type: ignore[misc]  # the kind of problem is the same for all


class SignInRefused(Malformed):
    """What the OpenID provider sent does not prove who somebody is; starting again may help.

    `why` is for the audit trail.
    """

    slug, title = "sign-in-refused", "The sign-in was not completed"

    def __init__(self, message: str, why: str) -> None:
        super().__init__(message)
        self.why = why


class Unauthorized(AppError):
    """Nobody is signed in, or the token or session is not valid (any more)."""

    status, slug, title = 401, "unauthorized", "Not signed in"


class IdempotencyNotSupported(Malformed):
    """The operation takes no Idempotency-Key: what it shows once is never stored."""

    slug, title = "idempotency-not-supported", "Idempotency-Key not supported"


class VoidLink(Malformed):
    """A link that works once was used, replaced, or is too old."""

    slug, title = "void-link", "This link no longer works"


class InvalidGrant(Unauthorized):
    """A refresh token is unknown, expired, spent or revoked (RFC 6749, 5.2: invalid_grant)."""

    slug, title = "invalid-refresh-token", "Invalid refresh token"


class InvalidToken(Unauthorized):
    """A token came, and it is unknown, expired or revoked (RFC 6750, 3.1: invalid_token)."""

    slug, title = "invalid-token", "Invalid token"


class BadCredentials(Unauthorized):
    """Wrong password, unknown or deactivated user: the answer is the same."""

    slug, title = "bad-credentials", "Sign-in failed"


class UnknownPasskey(BadCredentials):
    """No account has the passkey (any more): the browser may be told to forget it."""


class OtpRequired(Unauthorized):
    """The password is right, and the account has a second factor: send its code as well."""

    slug, title = "otp-required", "Second factor needed"


class BadOtp(BadCredentials):
    """The code of the second factor is wrong, too old, or was used before."""

    slug, title = "bad-otp", "Wrong code"


class Forbidden(AppError):
    """You may see it, but you may not do that."""

    status, slug, title = 403, "forbidden", "Not allowed"


class InsufficientScope(Forbidden):
    """The token lacks a scope (RFC 6750, 3.1: insufficient_scope)."""

    slug, title = "insufficient-scope", "Insufficient scope"

    def __init__(self, scope: str) -> None:
        super().__init__(f"The token lacks the scope {scope}.")
        self.scope = scope


class NoMail(Forbidden):
    """It goes by mail, and none is set up here (MAIL_URL)."""

    slug, title = "no-mail", "No mail is set up"


class EmailUnconfirmed(Forbidden):
    """The account gets no second factor, passkey, linked account, webhook or personal token before
    its email address is confirmed by the link that was mailed there.
    """

    slug, title = "email-unconfirmed", "Confirm your email address"


class FactorRequired(Forbidden):
    """The settings of this service require a second factor or a passkey, and the account has none.
    Until it has one it can only set it up, or, where the settings say so, has no admin's rights.
    """

    slug, title = "second-factor-required", "Set up a second factor"


class ReauthenticationRequired(Forbidden):
    """This needs a recent sign-in: sign in again, then repeat the request."""

    slug, title = "reauthentication-required", "Sign in again"


class NotFound(AppError):
    """It does not exist, or you may not see it: the answer is the same."""

    status, slug, title = 404, "not-found", "Not found"


class MethodNotAllowed(AppError):
    """The address exists, but does not accept the method; the Allow header says what it accepts."""

    status, slug, title = 405, "method-not-allowed", "Method not allowed"


class Conflict(AppError):
    """The current state does not allow it: a name is taken, the last admin would go."""

    status, slug, title = 409, "conflict", "Conflict"


class StillRunning(Conflict):
    """The first request with this Idempotency-Key has not ended; Retry-After says when to ask."""

    retry_after = 1  # second


class NotLinked(Conflict):
    """Who the OpenID provider says you are has no account here that is yours beyond doubt."""

    slug, title = "not-linked", "No account is linked"


class PreconditionFailed(AppError):
    """Somebody changed it in the meantime (RFC 9110, 13.1.1)."""

    status, slug, title = 412, "precondition-failed", "Precondition failed"


class ContentTooLarge(AppError):
    """The body is larger than the operation takes."""

    status, slug, title = 413, "content-too-large", "Content too large"


class UnsupportedMediaType(AppError):
    """The body is of a type that the operation does not take."""

    status, slug, title = 415, "unsupported-media-type", "Unsupported media type"


class UnsupportedEncoding(UnsupportedMediaType):
    """The body is encoded (Content-Encoding), and no encoding is taken (RFC 9110, 12.5.3)."""


class Invalid(AppError):
    """The request was read, but a value in it is not valid."""

    status, slug, title = 422, "invalid", "Invalid input"


class InvalidLines(Invalid):
    """Lines of a file are not valid.

    `lines` holds {"line", "pointer", "code", "detail"} for each fault.
    """

    slug, title = "invalid-lines", "Invalid lines"

    def __init__(self, message: str, lines: list[dict[str, Any]]) -> None:
        super().__init__(message)
        self.lines = lines


class IdempotencyKeyReused(Invalid):
    """The same Idempotency-Key was already used with another method, path or payload."""

    slug, title = "idempotency-key-reused", "Idempotency-Key reused"


class InvalidParameter(Invalid):
    """A query parameter is not valid, or there is none of that name."""

    slug, title = "invalid-parameter", "Invalid query parameter"


class PreconditionRequired(AppError):
    """A change must say which version it changes (RFC 6585, 3)."""

    status, slug, title = 428, "precondition-required", "Precondition required"


class TooManyRequests(AppError):
    """Too much in too short a time. The Retry-After header says when to come back, in seconds."""

    status, slug, title = 429, "too-many-requests", "Too many requests"

    def __init__(self, message: str, retry_after: int) -> None:
        """`retry_after` is in seconds, and is added to the message in words."""
        super().__init__(f"{message} Try again in {in_words(retry_after)}.")
        self.retry_after = retry_after


class Unavailable(AppError):
    """The database is away or overloaded; the same request may succeed in a moment."""

    status, slug, title = 503, "unavailable", "Temporarily unavailable"
    retry_after = 2  # seconds


class ProviderAway(Unavailable):
    """The OpenID provider does not answer in time, or not as it should."""

    retry_after = 5


class SendingFailed(Exception):
    """A mail or a webhook was not taken: `answer` is the status that came, `final` that no further
    attempt can help.

    `message` may quote another server: it is cut to MESSAGE_MAX printable characters, for a log
    line and the outbox.
    """

    MESSAGE_MAX: ClassVar[int] = 500

    def __init__(self, message: str, answer: int | None = None, *, final: bool = False) -> None:
        printable = "".join(one if one.isprintable() else " " for one in message)
        self.message = " ".join(printable.split())[: self.MESSAGE_MAX]
        super().__init__(self.message)
        self.answer = answer
        self.final = final
