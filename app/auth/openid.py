"""Sign-in through an OpenID provider, and linking of a provider's account to a local one."""

import time
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_login import login_required

from app import settings
from app.auth.begin import begin, home
from app.errors import NotFound, NotLinked, SignInRefused
from app.lazy import lazy_import
from app.pages.redirects import next_page
from app.services.openid import linked_accounts, sign_in as openid_entry
from app.services.openid.person import Person
from app.web.current_user import origin, page_user
from environment.openid import OpenIdClient

if TYPE_CHECKING:
    from app.services.openid import flow as openid
else:
    openid = lazy_import("app.services.openid.flow")  # which needs Authlib and HTTPX

bp = Blueprint("openid", __name__, url_prefix="/openid")
LIFETIME = timedelta(minutes=10).total_seconds()  # of the values in the session cookie
NEXT_MAX = 1000  # characters: the whole cookie can have 4096 bytes
STARTED, PERSON = "openid_start", "openid_person"


@bp.get("/start", defaults={"key": ""})
@bp.get("/start/<key>")
def start(key: str) -> ResponseReturnValue:
    """Redirect to the provider, by a link: the CSP forbids forms that lead to another host."""
    client = _client(key)
    address, started = openid.begin(client, _redirect_uri(client))
    target = next_page("")
    _store(STARTED, {**asdict(started), "next": target if len(target) <= NEXT_MAX else ""})
    return redirect(address)


@bp.get("/callback", defaults={"key": ""})
@bp.get("/callback/<key>")
def callback(key: str) -> ResponseReturnValue:
    client, here = _client(key), origin()
    started = _load(STARTED)
    session.pop(STARTED, None)  # each start is used once
    if started is None:
        raise SignInRefused(f"{openid.AGAIN} It takes cookies, and 10 minutes at most.", "no start")
    openid_entry.require_patience(here)
    target = started.pop("next")
    try:
        person = openid.finish(client, _redirect_uri(client), openid.Start(**started), request.args)
    except SignInRefused as error:
        openid_entry.refused(here, error)
        raise
    if page_user().id:
        return _redirect_to_link(person)
    try:
        user = openid_entry.enter(
            here, person, registration_open=current_app.config["REGISTRATION_OPEN"]
        )
    except NotLinked as error:
        return _redirect_to_link(person, error.message)
    return begin(user, remember=False, target=target or home())


@bp.get("/link")
def pending() -> ResponseReturnValue:
    """Show the provider's account that is not linked yet, and the next step to link it."""
    found = _load(PERSON)
    client = settings.current().openid_client(found["issuer"]) if found else None
    if client is None:
        return _redirect_without_account()
    return render_template("auth/link.html", pending=found, provider=client)


@bp.post("/link")
@login_required
def link() -> ResponseReturnValue:
    """Link the provider's account to the signed-in account, after the user's confirmation.

    A form with a CSRF token: otherwise another site could link its account to a visitor's.
    """
    found = _load(PERSON)
    if found is None or settings.current().openid_client(found["issuer"]) is None:
        return _redirect_without_account()
    found.pop("reason")
    linked_accounts.link(page_user(), Person(**found))
    session.pop(PERSON)
    flash("The accounts are linked.", "success")
    return redirect(url_for("main.identities.index"), 303)


@bp.after_request
def keep_code_secret(response: Response) -> Response:
    """Set no-referrer: the callback URL contains a code that must not leak by Referer."""
    if request.endpoint == f"auth.{bp.name}.callback":
        response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _redirect_without_account() -> ResponseReturnValue:
    flash("There is no account to link any more. Start again.")
    return redirect(url_for("main.pages.index"))


def _redirect_to_link(person: Person, reason: str = "") -> ResponseReturnValue:
    found = asdict(person)
    found.pop("admin_groups")  # a link changes no role, the next sign-in does
    _store(PERSON, {**found, "reason": reason})
    return redirect(url_for(".pending"), 303)


def _client(key: str) -> OpenIdClient:
    for client in settings.current().openid:
        if client.key == key:
            return client
    raise NotFound("Sign-in through this service is not set up here.")


def _redirect_uri(client: OpenIdClient) -> str:
    """Return the redirect URI, a separate one for each provider: this prevents mix-up attacks even
    if a provider sends no `iss` (RFC 9700, 4.4.2.2).
    """
    return settings.current().public_url + url_for(".callback", key=client.key)


def _store(name: str, values: dict[str, Any]) -> None:
    session[name] = {**values, "ends": time.time() + LIFETIME}


def _load(name: str) -> dict[str, Any] | None:
    values = dict(session.get(name, {"ends": 0}))
    return values if values.pop("ends") > time.time() else None
