"""Mails as they are sent: text and HTML from the templates, headers of fixed words.

Text that a user typed stands in the body alone. The headers hold the address, in ASCII, and no
other input (ASVS 5.0, 1.2.9).
"""

from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import Any
from urllib.parse import urlsplit

from flask import render_template

from app import policy
from app.devices import device
from app.models import OutboxEntry
from app.models.link import LIFE
from app.models.types import now
from app.services.notices import ADMIN_ADVICE, NOTICES

LINK_SUBJECTS = {
    "confirm": "Confirm your email address",
    "invite": "You are invited",
    "reset": "Set a new password",
}


def notice(
    entry: OutboxEntry, payload: dict[str, Any] | None = None, *, undo: str = ""
) -> EmailMessage:
    """Write one of NOTICES. `undo` is the secret of the link that undoes what happened.

    `payload` stands in for that of the entry.
    """
    values = payload or entry.payload
    kind, site = NOTICES[entry.name], policy.current().public_url
    told = {
        **values,
        "what": kind.what,
        "moment": entry.created_at,
        "device": device(agent) if (agent := values.get("user_agent")) else "",
        "advice": _advice(entry.name, undo).format(site=site),
        "undo_url": f"{site}/auth/undo/{undo}" if undo else "",
    }
    return _message(entry, "notice", told["to"], kind.subject, told)


def _advice(name: str, undo: str) -> str:
    """Return what to do, which differs where the owner cannot undo it."""
    if name == "email_changed" and not undo:
        return ADMIN_ADVICE
    return NOTICES[name].advice


def link(entry: OutboxEntry, username: str, email: str, secret: str) -> EmailMessage:
    """A link that works once: to set a password, to confirm `email`."""
    base = policy.current().public_url
    told = {
        "username": username,
        "email": email,
        "url": f"{base}/auth/{entry.name}/{secret}",
        "hours": int(LIFE[entry.name].total_seconds()) // 3600,
    }
    return _message(entry, entry.name, email, LINK_SUBJECTS[entry.name], told)


def _message(
    entry: OutboxEntry, template: str, to: str, subject: str, told: dict[str, Any]
) -> EmailMessage:
    site = policy.current().public_url
    message = EmailMessage()
    name, sender = parseaddr(policy.current().mail_from)
    message["From"] = Address(name, addr_spec=sender)
    message["To"] = Address(addr_spec=to)
    message["Subject"] = f"{subject} - Flagstone"
    message["Date"] = format_datetime(now())
    # The same at every attempt: a mail that is sent twice can be told by it (RFC 5322, 3.6.4).
    message["Message-ID"] = f"<{entry.id}@{urlsplit(site).hostname}>"
    message["Auto-Submitted"] = "auto-generated"  # no reply by a machine (RFC 3834)
    told = {**told, "subject": subject, "site": site}
    message.set_content(render_template(f"mail/{template}.txt", **told), cte="quoted-printable")
    html = render_template(f"mail/{template}.html", **told)
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    return message
