"""The function that sends a job, by the kind of its outbox entry."""

from app.worker import mail_sender, webhook_sender
from app.worker.loop import Sender

SENDERS: dict[str, Sender] = {"mail": mail_sender.send, "webhook": webhook_sender.send}
