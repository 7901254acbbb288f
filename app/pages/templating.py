"""Functions and filters of all templates: static URLs, the signed-in user, values in words."""

import functools
import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from flask import Flask, current_app, request, url_for
from flask_login import current_user

from app import product, settings
from app.errors import Unavailable
from app.models.registry import OWN_RECORDS, RESOURCES
from app.pages import navigation, passkey_offer, passkey_site
from app.services.shared.user_agents import device
from environment.openid import OpenIdClient

NAMES = {"due_at": "Due", "assignee_id": "Assignee", "completed_at": "Completed"}
KEPT_MAX = 200  # characters of a value in a cached URL


def init_app(app: Flask) -> None:
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(
        product=product,
        static_url=static_url,
        url_for=quick_url_for,
        viewer=viewer,
        has_mail=has_mail,
        offers_passkey=passkey_offer.take,
        passkeys_work_here=passkey_site.is_here,
        passkey_origin=passkey_site.origin,
        openid_providers=openid_providers,
        form_id=form_id,
        own_records=OWN_RECORDS,
        titled={each.name for each in RESOURCES if each.title is not None},
        site_links=navigation.SITE_LINKS,
        admin_links=navigation.ADMIN_LINKS,
    )
    app.jinja_env.filters.update(
        device=device, iso=iso, moment=datetime.fromisoformat, readable=readable, words=words
    )


def form_id() -> str:
    """Return a new id for a rendered form (app/pages/submit_once.py)."""
    return str(uuid4())


def has_mail() -> bool:
    return settings.current().has_mail


def openid_providers() -> tuple[OpenIdClient, ...]:
    """Return the OpenID providers, in the order of the settings."""
    return settings.current().openid


def quick_url_for(endpoint: str, **values: Any) -> str:
    """Return Flask's url_for from a cache: a page of a list has 100 links, a seventh of its CPU.

    The cache key is the arguments and the mount point of the app. URLs that depend on the blueprint
    (".show") or on the host (an option such as `_scheme`) are not cached. Neither are long values,
    because anyone can send them.
    """
    if endpoint.startswith(".") or not all(
        name[0] != "_" and type(value) is str and len(value) <= KEPT_MAX
        for name, value in values.items()
    ):
        return url_for(endpoint, **values)
    return _url_for(request.script_root, endpoint, **values)


@functools.lru_cache(maxsize=1024)
def _url_for(_root: str, endpoint: str, **values: Any) -> str:
    return url_for(endpoint, **values)


def static_url(name: str) -> str:
    """Return the file's URL with a digest of its content, so that browsers can cache it a year."""
    folder = Path(current_app.static_folder or "")
    return url_for("static", filename=name, v=_digest(folder / name))


@functools.cache
def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:8]


def viewer() -> Any:
    """Return the signed-in user, or None. Without the database it returns None, so that the layout
    can still render an error page.
    """
    try:
        return current_user if current_user.is_authenticated else None
    except Unavailable:
        return None


def iso(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def readable(value: datetime) -> str:
    moment = value.astimezone(UTC)
    return f"{moment.day} {moment:%b %Y, %H:%M} UTC"


def words(name: str) -> str:
    """Return a value or a field name as readable text: "In progress" for "in_progress"."""
    return NAMES.get(name) or name.replace("_", " ").capitalize()
