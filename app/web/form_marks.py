"""The mark in the CSRF token of each form: the account for which the page was drawn.

Flask-WTF signs the value that the session keeps. An id in that value is signed with it, so that a
form still tells whose it is when its session has ended.
"""

import secrets

from flask import current_app, request, session
from itsdangerous import BadData, URLSafeTimedSerializer

from app.models.types import canonical_id

FIELD = "csrf_token"
_SALT = "wtf-csrf-token"  # of Flask-WTF: with another one no form is recognized


def put(user_id: str) -> None:
    """Mark the forms that are drawn in this session from now on."""
    session[FIELD] = f"{secrets.token_hex(20)} {user_id}"


def is_ours() -> bool:
    """True if this service drew the form that was sent, in whatever session."""
    return _value() is not None


def is_current() -> bool:
    """True if the form that was sent was drawn in the present session."""
    value = _value()
    return value is not None and value == session.get(FIELD)


def author() -> str | None:
    """The account for which the sent form was drawn; None if nobody was signed in."""
    _, _, user_id = (_value() or "").partition(" ")
    return canonical_id(user_id)


def _value() -> str | None:
    keys = current_app.config["WTF_CSRF_SECRET_KEY"]
    try:
        value = URLSafeTimedSerializer(keys, salt=_SALT).loads(request.form.get(FIELD, ""))
    except BadData:
        return None
    return value if isinstance(value, str) else None
