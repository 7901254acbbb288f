"""The errors of the domain, without Flask.

`status` is the HTTP status, `slug` names the page under /problems/ that explains the error.
`fields` maps each invalid input to its Fault. A nested field's name is a JSON Pointer without the
first slash.
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
        self.index: int | None = None  # of the failed operation of a bulk request


class Malformed(AppError):
    """The request cannot be read."""

    status, slug, title = 400, "malformed", "Malformed request"


class Refused(Malformed):
    """The server cannot read the head of the request. `__cause__` holds the server's error."""

    def __init__(self, status: int) -> None:
        super().__init__("The request cannot be read.")
        self.status = status  # type: ignore[misc]  # the kind of problem is the same for all


class SignInRefused(Malformed):
    """The OpenID provider's answer does not prove the user's identity. A new attempt may help.

    `why` is for the audit trail.
    """

    slug, title = "sign-in-refused", "The sign-in was not completed"

    def __init__(self, message: str, why: str) -> None:
        super().__init__(message)
        self.why = why


class Unauthorized(AppError):
    """The request has no token or session, or an invalid one."""

    status, slug, title = 401, "unauthorized", "Not signed in"


class IdempotencyNotSupported(Malformed):
    """The operation takes no Idempotency-Key, because its answer holds a secret, which is not
    stored."""

    slug, title = "idempotency-not-supported", "Idempotency-Key not supported"


class VoidLink(Malformed):
    """The one-time link was used or replaced, or has expired."""

    slug, title = "void-link", "This link no longer works"


class InvalidGrant(Unauthorized):
    """The refresh token is unknown, expired, used or revoked (RFC 6749, 5.2: invalid_grant)."""

    slug, title = "invalid-refresh-token", "Invalid refresh token"


class InvalidToken(Unauthorized):
    """The token is unknown, expired or revoked (RFC 6750, 3.1: invalid_token)."""

    slug, title = "invalid-token", "Invalid token"


class BadCredentials(Unauthorized):
    """The password is wrong, or the user is unknown or deactivated: the answer is the same."""

    slug, title = "bad-credentials", "Sign-in failed"


class UnknownPasskey(BadCredentials):
    """No account has the passkey. The browser may delete the passkey."""


class OtpRequired(Unauthorized):
    """The password is right, and the account has a second factor. Send its code too."""

    slug, title = "otp-required", "Second factor needed"


class BadOtp(BadCredentials):
    """The code of the second factor is wrong, expired or already used."""

    slug, title = "bad-otp", "Wrong code"


class Forbidden(AppError):
    """You may see the resource, but not perform the operation."""

    status, slug, title = 403, "forbidden", "Not allowed"


class InsufficientScope(Forbidden):
    """The token lacks a scope (RFC 6750, 3.1: insufficient_scope)."""

    slug, title = "insufficient-scope", "Insufficient scope"

    def __init__(self, scope: str) -> None:
        super().__init__(f"The token lacks the scope {scope}.")
        self.scope = scope


class NoMail(Forbidden):
    """The operation sends a mail, and the service has no mail server (MAIL_URL)."""

    slug, title = "no-mail", "No mail is set up"


class EmailUnconfirmed(Forbidden):
    """The account needs a confirmed email address before it can have a second factor, passkey,
    linked account, webhook or personal token. Open the link in the confirmation mail.
    """

    slug, title = "email-unconfirmed", "Confirm your email address"


class FactorRequired(Forbidden):
    """The service requires a second factor or a passkey, and the account has none. Without one the
    account can only set one up or, depending on the settings, has no admin rights.
    """

    slug, title = "second-factor-required", "Set up a second factor"


class ReauthenticationRequired(Forbidden):
    """The operation needs a recent sign-in. Sign in again, then repeat the request."""

    slug, title = "reauthentication-required", "Sign in again"


class NotFound(AppError):
    """The resource does not exist, or you may not see it: the answer is the same."""

    status, slug, title = 404, "not-found", "Not found"


class MethodNotAllowed(AppError):
    """The address does not accept the method. The Allow header lists the methods it accepts."""

    status, slug, title = 405, "method-not-allowed", "Method not allowed"


class Conflict(AppError):
    """The current state does not allow the operation: a name is taken, or no admin would remain."""

    status, slug, title = 409, "conflict", "Conflict"


class StillRunning(Conflict):
    """The first request with this Idempotency-Key has not ended. Retry-After says when to retry."""

    retry_after = 1  # second


class NotLinked(Conflict):
    """No account here is linked to your account at the OpenID provider or certainly yours."""

    slug, title = "not-linked", "No account is linked"


class PreconditionFailed(AppError):
    """The resource was changed in the meantime (RFC 9110, 13.1.1)."""

    status, slug, title = 412, "precondition-failed", "Precondition failed"


class ContentTooLarge(AppError):
    """The body is larger than the operation accepts."""

    status, slug, title = 413, "content-too-large", "Content too large"


class UnsupportedMediaType(AppError):
    """The operation does not accept the body's media type."""

    status, slug, title = 415, "unsupported-media-type", "Unsupported media type"


class UnsupportedEncoding(UnsupportedMediaType):
    """The body has a Content-Encoding, and none is accepted (RFC 9110, 12.5.3)."""


class Invalid(AppError):
    """The request can be read, but a value in it is not valid."""

    status, slug, title = 422, "invalid", "Invalid input"


class InvalidLines(Invalid):
    """Some lines of a file are not valid.

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
    """A query parameter is unknown or not valid."""

    slug, title = "invalid-parameter", "Invalid query parameter"


class PreconditionRequired(AppError):
    """The request must name the version that it changes, in If-Match (RFC 6585, 3)."""

    status, slug, title = 428, "precondition-required", "Precondition required"


class TooManyRequests(AppError):
    """The client sent too many requests. Retry after as many seconds as Retry-After says."""

    status, slug, title = 429, "too-many-requests", "Too many requests"

    def __init__(self, message: str, retry_after: int) -> None:
        """Add `retry_after`, in seconds, to the message in words."""
        super().__init__(f"{message} Try again in {in_words(retry_after)}.")
        self.retry_after = retry_after


class Unavailable(AppError):
    """The database is unreachable or overloaded. The same request may succeed in a moment."""

    status, slug, title = 503, "unavailable", "Temporarily unavailable"
    retry_after = 2  # seconds


class ProviderAway(Unavailable):
    """The OpenID provider does not answer in time, or gives an invalid answer."""

    retry_after = 5


class SendingFailed(Exception):
    """The receiver did not accept a mail or a webhook. `answer` is its status, and `final` is True
    if no further attempt can help.

    `message` may quote another server, so the message is cut to MESSAGE_MAX printable characters
    for a log line and the outbox.
    """

    MESSAGE_MAX: ClassVar[int] = 500

    def __init__(self, message: str, answer: int | None = None, *, final: bool = False) -> None:
        printable = "".join(one if one.isprintable() else " " for one in message)
        self.message = " ".join(printable.split())[: self.MESSAGE_MAX]
        super().__init__(self.message)
        self.answer = answer
        self.final = final
