"""The mailbox of a test, in a folder."""

import email
import email.policy
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

from flask import Flask

from app.worker.loop import Worker
from app.worker.senders import SENDERS

LINK = re.compile(r"(https?://[^\s/\"<>]+)/auth/(\w+)/(\w+)")


@contextmanager
def mail_to(app: Flask, url: str) -> Iterator[None]:
    """Set MAIL_URL during this context."""
    before = app.extensions["settings"]
    app.extensions["settings"] = replace(before, mail_url=url)
    yield
    app.extensions["settings"] = before


def send_due(app: Flask) -> int:
    """Send the due entries of the outbox, and return the number of attempts."""
    return Worker(app, SENDERS, 2).run_once()


class Mailbox:
    def __init__(self, app: Flask, folder: Path) -> None:
        self.app, self.folder = app, folder

    def receive(self) -> list[EmailMessage]:
        """Send and return all due mails, in the order of their creation."""
        for path in self.folder.glob("*.eml"):
            path.unlink()
        send_due(self.app)
        return [parse(path.read_bytes()) for path in sorted(self.folder.glob("*.eml"))]

    def secret(self, purpose: str) -> str:
        """Receive the one mail with a link of this purpose, and return the link's secret."""
        found = [link for mail in self.receive() for link in LINK.findall(text(mail))]
        (link,) = [link for link in found if link[1] == purpose]
        assert link[0] == self.app.config["PUBLIC_URL"]
        return str(link[2])


def parse(content: bytes) -> EmailMessage:
    return email.message_from_bytes(content, policy=email.policy.default)


def text(mail: EmailMessage, kind: str = "plain") -> str:
    part = mail.get_body((kind,))
    assert isinstance(part, EmailMessage)
    return str(part.get_content())
