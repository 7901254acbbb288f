"""Redirect of accounts that lack a required second factor to the page that sets it up.

app.services.factors.factors decides which accounts need a factor, for the pages and the API.
"""

from flask import Flask, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app import settings
from app.errors import FactorRequired
from app.web.current_user import page_user
from app.web.error_handlers import on_app_error
from app.web.request_checks import is_api

# Prefixes of endpoints without the requirement: setup of a factor, sign-out, public pages.
OPEN = (
    "auth.",
    "main.confirmation.",
    "main.factors.",
    "main.passkeys.",
    "main.pages.",
    "main.settings.profile",  # to correct an address that has to be confirmed first
)
CLOSED = ("auth.openid.", "auth.unsent_forms.", "main.pages.index")


def init_app(app: Flask) -> None:
    app.register_error_handler(FactorRequired, lead)


def check() -> None:
    """Raise FactorRequired if the account lacks a factor that the page requires.

    Each blueprint of pages calls this function before its views.
    """
    if not settings.current().requires_factors or _is_open(request.endpoint or ""):
        return
    if page_user().confined:
        page_user().require_factor()


def _is_open(endpoint: str) -> bool:
    return endpoint.startswith(OPEN) and not endpoint.startswith(CLOSED)


def lead(error: FactorRequired) -> ResponseReturnValue:
    if is_api(request.path):
        return on_app_error(error)
    address = url_for("main.factors.index")
    flash(error.message, "warning")
    if "HX-Request" in request.headers:
        return "", 403, {"HX-Redirect": address}
    return redirect(address, 302 if request.method in ("GET", "HEAD") else 303)
