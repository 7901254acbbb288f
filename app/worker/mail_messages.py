"""The messages of mails: text and HTML from the templates, and fixed headers.

Only the body holds text that a user typed. The headers hold the recipient in ASCII and no other
input (ASVS 5.0, 1.2.9).
"""

import re
from datetime import timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import Any
from urllib.parse import urlsplit

from flask import render_template

from app import product, settings
from app.durations import in_words
from app.models import OutboxEntry
from app.models.one_time_link import LIFE
from app.models.types import now
from app.services.access.token_mails import ENDING
from app.services.outbox.notices import ADMIN_ADVICE, NOTICES
from app.services.shared.user_agents import device

LINK_SUBJECTS = {
    "confirm": "Confirm your email address",
    "invite": "You are invited",
    "reset": "Set a new password",
}
# The label of a notice's button, by the first link in its advice.
ACTIONS = {
    "": "Undo the change",
    "/auth/forgot": "Set a new password",
    "/settings/identities": "Look at your linked accounts",
    "/settings/security": "Look at your security log",
    "/settings/tokens": "Look at your tokens",
    "/settings/two-factor": "Look at your second factors",
    "/settings/webhooks": "Look at your webhooks",
}
_PATH = re.compile(r"\{site\}(/[\w/-]+)")


def notice(
    entry: OutboxEntry, payload: dict[str, Any] | None = None, *, undo: str = ""
) -> EmailMessage:
    """Return the message of one of NOTICES. `undo` is the secret of a link that undoes the change.

    `payload` replaces the payload of the entry.
    """
    values = payload or entry.payload
    kind, site = NOTICES[entry.name], settings.current().public_url
    advice = _advice(entry.name, undo)
    undo_url = f"{site}/auth/undo/{undo}" if undo else ""
    path = "" if undo else next(iter(_PATH.findall(advice)), "")
    context = {
        **values,
        "what": kind.what,
        "moment": None if entry.name == ENDING else entry.created_at,
        "by": _by(values),
        "advice": advice.format(site=site),
        "undo_url": undo_url,
        "action": ACTIONS[path],
        "action_url": undo_url or (path and f"{site}{path}"),
    }
    return _message(entry, "notice", context["to"], kind.subject, context)


def _by(values: dict[str, Any]) -> str:
    """Return the line with actor, address and device, or "" for the service or its operator."""
    if not values["by_owner"]:
        return "By: an admin" if values.get("by_admin", True) else ""
    agent = values.get("user_agent")
    place = f", from {values['address']}" if values["address"] else ""
    return f"By: you{place}{f', with {device(agent)}' if agent else ''}"


def _advice(name: str, undo: str) -> str:
    """Return the advice of a notice. A change of the email without an undo link has its own."""
    if name == "email_changed" and not undo:
        return ADMIN_ADVICE
    return NOTICES[name].advice


def link(entry: OutboxEntry, username: str, email: str, secret: str) -> EmailMessage:
    """Return the message with a one-time link: reset, invitation or confirmation of `email`."""
    base = settings.current().public_url
    context = {
        "username": username,
        "email": email,
        "url": f"{base}/auth/{entry.name}/{secret}",
        "life": _in_words(LIFE[entry.name]),
        "ends": now() + LIFE[entry.name],
        "by": entry.payload.get("by", ""),
    }
    return _message(entry, entry.name, email, LINK_SUBJECTS[entry.name], context)


def _in_words(life: timedelta) -> str:
    """Return the time in days above one day, or as the pages show it."""
    if life > timedelta(days=1):
        return f"{life.days} days"
    return in_words(int(life.total_seconds()))


def _message(
    entry: OutboxEntry, template: str, to: str, subject: str, context: dict[str, Any]
) -> EmailMessage:
    site = settings.current().public_url
    message = EmailMessage()
    name, sender = parseaddr(settings.current().mail_from)
    message["From"] = Address(name, addr_spec=sender)
    message["To"] = Address(addr_spec=to)
    message["Subject"] = f"{subject} - {product.NAME}"
    message["Date"] = format_datetime(now())
    # The same at every attempt, so that receivers recognise a duplicate (RFC 5322, 3.6.4).
    message["Message-ID"] = f"<{entry.id}@{urlsplit(site).hostname}>"
    message["Auto-Submitted"] = "auto-generated"  # prevents automatic replies (RFC 3834)
    footer = f"This mail is about the account {context['username']}. A program sent it."
    context = {**context, "subject": subject, "site": site, "footer": footer}
    message.set_content(render_template(f"mail/{template}.txt", **context), cte="quoted-printable")
    html = render_template(f"mail/{template}.html", **context)
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    return message
