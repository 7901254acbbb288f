"""Sends an entry of the outbox as a mail."""

from app import settings
from app.models import OutboxEntry
from app.models.one_time_link import LIFE
from app.services.access import token_mails
from app.services.accounts import address_undo
from app.services.authentication import one_time_links
from app.services.outbox import outbox
from app.worker import mail_messages, mail_transports


def send(entry: OutboxEntry) -> int | None:
    """The status of the answer. None where no server was asked: the mail has lost its reason, or
    goes to a file or the console. Raises SendingFailed.
    """
    if entry.name not in LIFE:
        told = token_mails.warning(entry) if entry.name == token_mails.ENDING else entry.payload
        if told is None:
            return None
        undo = address_undo.make(entry) if entry.name == address_undo.NOTICE else ""
        message = mail_messages.notice(entry, told, undo=undo)
        status = mail_transports.deliver(settings.current().mail_url, message)
        if entry.user_id is None:
            outbox.forget(entry)
        return status
    opened = one_time_links.open_for(entry)
    if opened is None:
        return None
    return mail_transports.deliver(settings.current().mail_url, mail_messages.link(entry, *opened))
