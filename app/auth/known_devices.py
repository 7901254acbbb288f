"""A signed cookie that lists the accounts which have signed in with this browser.

The cookie grants no access. A sign-in without it sends a mail to the owner of the account.
"""

from hashlib import sha256

from flask import Response, after_this_request, current_app, request
from itsdangerous import BadSignature, URLSafeSerializer

from app.product import SLUG

ACCOUNTS_MAX = 10
LIFE = 400 * 24 * 3600  # seconds: the longest life that browsers allow


def knows(user_id: str) -> bool:
    """Return whether the account has signed in with this browser before."""
    return _digest(user_id) in _known()


def remember(user_id: str) -> None:
    """Add the account to the cookie of the response."""
    digest = _digest(user_id)
    known = [digest, *(one for one in _known() if one != digest)][:ACCOUNTS_MAX]
    value = _serializer().dumps(known)

    @after_this_request
    def put(response: Response) -> Response:
        secure = current_app.config["SESSION_COOKIE_SECURE"]
        response.set_cookie(
            _name(), value, max_age=LIFE, secure=secure, httponly=True, samesite="Lax"
        )
        return response


def _known() -> list[str]:
    try:
        known: list[str] = _serializer().loads(request.cookies.get(_name(), ""))
    except BadSignature:
        return []
    return known


def _name() -> str:
    return "__Host-devices" if current_app.config["SESSION_COOKIE_SECURE"] else f"{SLUG}_devices"


def _digest(user_id: str) -> str:
    return sha256(user_id.encode()).hexdigest()[:16]


def _serializer() -> URLSafeSerializer:
    keys = [*current_app.config["SECRET_KEY_FALLBACKS"], current_app.config["SECRET_KEY"]]
    return URLSafeSerializer(keys, salt="known devices")
