"""The mark in the CSRF token of each form: the account for which the page was rendered.

Flask-WTF signs the value in the session. The value holds the account's id, so that a form still
names its account after its session has ended.
"""

import secrets

from flask import current_app, request, session
from itsdangerous import BadData, URLSafeTimedSerializer

from app.models.types import canonical_id

FIELD = "csrf_token"
_SALT = "wtf-csrf-token"  # Flask-WTF's: with another salt no form is recognized


def put(user_id: str) -> None:
    """Mark the forms that are rendered in this session from now on."""
    session[FIELD] = f"{secrets.token_hex(20)} {user_id}"


def is_ours() -> bool:
    """Return True if this service rendered the sent form, in any session."""
    return _value() is not None


def is_current() -> bool:
    """Return True if the sent form was rendered in the current session."""
    value = _value()
    return value is not None and value == session.get(FIELD)


def author() -> str | None:
    """Return the id of the account that the sent form was rendered for; None for a stranger."""
    _, _, user_id = (_value() or "").partition(" ")
    return canonical_id(user_id)


def _value() -> str | None:
    keys = current_app.config["WTF_CSRF_SECRET_KEY"]
    try:
        value = URLSafeTimedSerializer(keys, salt=_SALT).loads(request.form.get(FIELD, ""))
    except BadData:
        return None
    return value if isinstance(value, str) else None
