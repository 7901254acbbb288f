"""The start of a page session, shared by all ways to sign in."""

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from app.auth import known_devices, pending
from app.errors import OtpRequired
from app.models import User
from app.pages import passkey_offer
from app.pages.forms import is_stale
from app.pages.redirects import next_page
from app.services.access import page_sessions
from app.web import form_marks
from app.web.current_user import origin, page_user, sign_in


def begin(
    user: User, *, remember: bool, with_factor: bool = False, target: str = ""
) -> ResponseReturnValue:
    """Start the session and redirect to `target` (default: `next`), or to the second-factor page.

    `with_factor`: the second factor is already verified. Raises BadCredentials if the account has
    changed since `user` was read.
    """
    target = target or next_page("")
    try:
        secret = page_sessions.start(
            origin(),
            user,
            remember=remember,
            user_agent=request.headers.get("User-Agent", ""),
            with_factor=with_factor,
            known_device=known_devices.knows(user.id),
        )
    except OtpRequired:
        pending.put(user, remember=remember)
        return redirect(url_for("auth.two_factor.show", next=target or None), 303)
    sign_in(secret, remember=remember)
    known_devices.remember(user.id)
    passkey_offer.prepare(user)
    return redirect(target or home(), 303)


def signed_in_elsewhere() -> bool:
    """Return True if another tab signed in after this form's page was rendered."""
    return is_stale() and form_marks.is_ours() and bool(page_user().id)


def home() -> str:
    return url_for("main.pages.index")
