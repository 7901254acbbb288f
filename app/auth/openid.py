"""Signing in through an OpenID provider, and linking an account there to one here."""

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
LIFETIME = timedelta(minutes=10).total_seconds()  # of what the cookie keeps for this
NEXT_MAX = 1000  # characters: the cookie, which keeps more than that, may have 4096 bytes
STARTED, PERSON = "openid_start", "openid_person"


@bp.get("/start", defaults={"key": ""})
@bp.get("/start/<key>")
def start(key: str) -> ResponseReturnValue:
    """By a link and not by a form: the CSP lets no form lead to another host."""
    client = _client(key)
    address, started = openid.begin(client, _redirect_uri(client))
    target = next_page("")
    _keep(STARTED, {**asdict(started), "next": target if len(target) <= NEXT_MAX else ""})
    return redirect(address)


@bp.get("/callback", defaults={"key": ""})
@bp.get("/callback/<key>")
def callback(key: str) -> ResponseReturnValue:
    client, here = _client(key), origin()
    started = _kept(STARTED)
    session.pop(STARTED, None)  # good once
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
        return _to_link(person)
    try:
        user = openid_entry.enter(
            here, person, registration_open=current_app.config["REGISTRATION_OPEN"]
        )
    except NotLinked as error:
        return _to_link(person, error.message)
    return begin(user, remember=False, target=target or home())


@bp.get("/link")
def pending() -> ResponseReturnValue:
    """Whom the provider told, and what is still to be shown before that is somebody here."""
    found = _kept(PERSON)
    client = settings.current().openid_client(found["issuer"]) if found else None
    if client is None:
        return _nothing_to_link()
    return render_template("auth/link.html", pending=found, provider=client)


@bp.post("/link")
@login_required
def link() -> ResponseReturnValue:
    """Who was told by the provider and is signed in here says that both are theirs.

    By a form, or else another site could link its own account to that of a visitor.
    """
    found = _kept(PERSON)
    if found is None or settings.current().openid_client(found["issuer"]) is None:
        return _nothing_to_link()
    found.pop("reason")
    linked_accounts.link(page_user(), Person(**found))
    session.pop(PERSON)
    flash("The accounts are linked.", "success")
    return redirect(url_for("main.identities.index"), 303)


@bp.after_request
def keep_code_secret(response: Response) -> Response:
    """The address that one comes back to holds a code: no page that one goes to is told it."""
    if request.endpoint == f"auth.{bp.name}.callback":
        response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _nothing_to_link() -> ResponseReturnValue:
    flash("There is nothing to link any more. Start again.")
    return redirect(url_for("main.pages.index"))


def _to_link(person: Person, reason: str = "") -> ResponseReturnValue:
    found = asdict(person)
    found.pop("admin_groups")  # a link changes no role, the next sign-in does
    _keep(PERSON, {**found, "reason": reason})
    return redirect(url_for(".pending"), 303)


def _client(key: str) -> OpenIdClient:
    for client in settings.current().openid:
        if client.key == key:
            return client
    raise NotFound("Sign-in through this service is not set up here.")


def _redirect_uri(client: OpenIdClient) -> str:
    """Each provider has its own, so that no answer of one is taken for another's, also where a
    provider does not name itself in the answer (RFC 9700, 4.4.2.2).
    """
    return settings.current().public_url + url_for(".callback", key=client.key)


def _keep(name: str, values: dict[str, Any]) -> None:
    session[name] = {**values, "ends": time.time() + LIFETIME}


def _kept(name: str) -> dict[str, Any] | None:
    values = dict(session.get(name, {"ends": 0}))
    return values if values.pop("ends") > time.time() else None
