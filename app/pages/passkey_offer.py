"""The offer of a passkey on the first page after signing in by a password."""

from flask import request, session

from app.models import User
from app.pages import passkey_site
from app.services.factors import passkeys

_NAME = "passkey_offer"


def prepare(user: User) -> None:
    """Let the next page of the new session show it, if there is something to offer."""
    if passkey_site.is_here() and passkeys.may_offer(user):
        session[_NAME] = True


def take() -> bool:
    """True on the one page that shows it. An answer to htmx is part of a page and shows none."""
    if "HX-Request" in request.headers:
        return False
    return bool(session.pop(_NAME, False))
