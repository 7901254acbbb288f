"""The offer of a passkey, on the first page after a sign-in by password."""

from flask import request, session

from app.models import User
from app.pages import passkey_site
from app.services.factors import passkeys

_NAME = "passkey_offer"


def prepare(user: User) -> None:
    """Let the next page of the new session show the offer, if the user may get one."""
    if passkey_site.is_here() and passkeys.may_offer(user):
        session[_NAME] = True


def take() -> bool:
    """Return True once, on the page that shows the offer; never in a response to htmx."""
    if "HX-Request" in request.headers:
        return False
    return bool(session.pop(_NAME, False))
