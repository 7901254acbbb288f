"""The sender of mails from the outbox."""

from app import settings
from app.models import OutboxEntry
from app.models.one_time_link import LIFE
from app.services.access import token_mails
from app.services.accounts import address_undo
from app.services.authentication import one_time_links
from app.services.outbox import outbox
from app.worker import mail_messages, mail_transports


def send(entry: OutboxEntry) -> int | None:
    """Send an entry as a mail and return the status of the SMTP response. Raises SendingFailed.

    Return None if no server was used: the mail is obsolete, or MAIL_URL is a folder or the console.
    """
    if entry.name not in LIFE:
        payload = token_mails.warning(entry) if entry.name == token_mails.ENDING else entry.payload
        if payload is None:
            return None
        undo = address_undo.make(entry) if entry.name == address_undo.NOTICE else ""
        message = mail_messages.notice(entry, payload, undo=undo)
        status = mail_transports.deliver(settings.current().mail_url, message)
        if entry.user_id is None:
            outbox.forget(entry)
        return status
    opened = one_time_links.open_for(entry)
    if opened is None:
        return None
    return mail_transports.deliver(settings.current().mail_url, mail_messages.link(entry, *opened))
