"""Sends an entry of the outbox as a mail."""

from app import policy
from app.mail import messages, transports
from app.models import OutboxEntry
from app.models.link import LIFE
from app.services import links


def send(entry: OutboxEntry) -> int | None:
    """The status of the answer. None where no server was asked: the mail has lost its reason, or
    goes to a file or the console. Raises SendingFailed.
    """
    if entry.name not in LIFE:
        return transports.deliver(policy.current().mail_url, messages.notice(entry))
    opened = links.open_for(entry)
    if opened is None:
        return None
    return transports.deliver(policy.current().mail_url, messages.link(entry, *opened))
