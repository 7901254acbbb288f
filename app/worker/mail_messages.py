"""Mails as they are sent: text and HTML from the templates, headers of fixed words.

Text that a user typed stands in the body alone. The headers hold the address, in ASCII, and no
other input (ASVS 5.0, 1.2.9).
"""

import re
from datetime import timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import Any
from urllib.parse import urlsplit

from flask import render_template

from app import settings
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
# The button of a notice leads where its advice leads first.
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
    """Write one of NOTICES. `undo` is the secret of the link that undoes what happened.

    `payload` stands in for that of the entry.
    """
    values = payload or entry.payload
    kind, site = NOTICES[entry.name], settings.current().public_url
    advice = _advice(entry.name, undo)
    undo_url = f"{site}/auth/undo/{undo}" if undo else ""
    path = "" if undo else next(iter(_PATH.findall(advice)), "")
    told = {
        **values,
        "what": kind.what,
        "moment": None if entry.name == ENDING else entry.created_at,
        "by": _by(values),
        "advice": advice.format(site=site),
        "undo_url": undo_url,
        "action": ACTIONS[path],
        "action_url": undo_url or (path and f"{site}{path}"),
    }
    return _message(entry, "notice", told["to"], kind.subject, told)


def _by(values: dict[str, Any]) -> str:
    """Who did it and from where; "" for what the service or its operator did."""
    if not values["by_owner"]:
        return "By: an admin" if values.get("by_admin", True) else ""
    agent = values.get("user_agent")
    place = f", from {values['address']}" if values["address"] else ""
    return f"By: you{place}{f', with {device(agent)}' if agent else ''}"


def _advice(name: str, undo: str) -> str:
    """Return what to do, which differs where the owner cannot undo it."""
    if name == "email_changed" and not undo:
        return ADMIN_ADVICE
    return NOTICES[name].advice


def link(entry: OutboxEntry, username: str, email: str, secret: str) -> EmailMessage:
    """A link that works once: to set a password, to confirm `email`."""
    base = settings.current().public_url
    told = {
        "username": username,
        "email": email,
        "url": f"{base}/auth/{entry.name}/{secret}",
        "life": _in_words(LIFE[entry.name]),
        "ends": now() + LIFE[entry.name],
        "by": entry.payload.get("by", ""),
    }
    return _message(entry, entry.name, email, LINK_SUBJECTS[entry.name], told)


def _in_words(life: timedelta) -> str:
    """Whole days above one, else hours: the same words as on the pages."""
    if life > timedelta(days=1):
        return f"{life.days} days"
    return in_words(int(life.total_seconds()))


def _message(
    entry: OutboxEntry, template: str, to: str, subject: str, told: dict[str, Any]
) -> EmailMessage:
    site = settings.current().public_url
    message = EmailMessage()
    name, sender = parseaddr(settings.current().mail_from)
    message["From"] = Address(name, addr_spec=sender)
    message["To"] = Address(addr_spec=to)
    message["Subject"] = f"{subject} - Flagstone"
    message["Date"] = format_datetime(now())
    # The same at every attempt: a mail that is sent twice can be told by it (RFC 5322, 3.6.4).
    message["Message-ID"] = f"<{entry.id}@{urlsplit(site).hostname}>"
    message["Auto-Submitted"] = "auto-generated"  # no reply by a machine (RFC 3834)
    footer = f"This mail is about the account {told['username']}. A program sent it."
    told = {**told, "subject": subject, "site": site, "footer": footer}
    message.set_content(render_template(f"mail/{template}.txt", **told), cte="quoted-printable")
    html = render_template(f"mail/{template}.html", **told)
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    return message
