"""The transports of mails, chosen by MAIL_URL: an SMTP server, the console or a folder."""

import functools
import os
import smtplib
import socket
import ssl
import sys
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from app.errors import SendingFailed

TIMEOUT = 10  # seconds for each response of the server
PORTS = {"smtp": 25, "smtps": 465}


def deliver(url: str, message: EmailMessage) -> int | None:
    """Deliver a mail and return the status of the SMTP response, or None without a server.

    Raises SendingFailed.
    """
    if url.startswith("file:"):
        _to_file(Path(url.removeprefix("file:")), message)
        return None
    if url == "console:":
        _to_console(message)
        return None
    if not url:
        raise SendingFailed("No mail is set up: set MAIL_URL.")
    return _to_server(urlsplit(url), message)


def _to_server(url: SplitResult, message: EmailMessage) -> int:
    try:
        with connect(url, TIMEOUT) as server:
            return _send(server, message)
    except smtplib.SMTPResponseException as error:
        # An operator can correct a rejected name, password or sender: the mail is retried.
        raise SendingFailed(_reason(error.smtp_code, error.smtp_error), error.smtp_code) from error
    except (OSError, smtplib.SMTPException) as error:
        raise SendingFailed(f"The mail server: {str(error) or type(error).__name__}") from error


def connect(url: SplitResult, patience: float) -> smtplib.SMTP:
    """Connect to a mail server and sign in. `patience` limits each response, in seconds.

    Raises OSError, SMTPException.
    """
    host, port = url.hostname or "", url.port or PORTS[url.scheme]
    server: smtplib.SMTP
    if url.scheme == "smtps":
        server = smtplib.SMTP_SSL(host, port, _our_name(), timeout=patience, context=_tls())
    else:
        server = smtplib.SMTP(host, port, _our_name(), timeout=patience)
    try:
        if parse_qs(url.query).get("starttls") == ["1"]:
            server.starttls(context=_tls())
        if url.username:
            server.login(unquote(url.username), unquote(url.password or ""))
    except BaseException:
        server.close()
        raise
    return server


@functools.cache
def _our_name() -> str:
    """Return the host name for the greeting (RFC 5321, 4.1.1.1). Cached: it may query the DNS."""
    return socket.getfqdn()


@functools.cache
def _tls() -> ssl.SSLContext:
    """Return a context that requires a valid certificate of a known authority or of SSL_CERT_FILE.

    Cached: loading the authorities takes longer than sending a mail.
    """
    return ssl.create_default_context()


def _send(server: smtplib.SMTP, message: EmailMessage) -> int:
    """Send the mail. A permanent refusal (5xx) of the recipient or the mail is final."""
    try:
        server.send_message(message)
    except smtplib.SMTPRecipientsRefused as error:
        status, text = next(iter(error.recipients.values()))
        raise _refusal(status, text) from error
    except smtplib.SMTPDataError as error:
        raise _refusal(error.smtp_code, error.smtp_error) from error
    return 250


def _refusal(status: int, text: bytes | str) -> SendingFailed:
    return SendingFailed(_reason(status, text), status, final=status >= 500)


def _reason(status: int, text: bytes | str) -> str:
    words = text.decode(errors="replace") if isinstance(text, bytes) else text
    return f"The mail server: {status} {words}"


def _to_file(folder: Path, message: EmailMessage) -> None:
    """Write the mail to a file, atomically; another attempt replaces the same file."""
    name = message["Message-ID"].strip("<>").partition("@")[0]
    draft = folder / f".{name}.{os.getpid()}"
    try:
        with open(draft, "xb", opener=_private) as file:
            file.write(message.as_bytes())
        draft.replace(folder / f"{name}.eml")
    except OSError as error:
        raise SendingFailed(f"The folder for mails: {error}") from error


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)  # the mail holds secret links


def _to_console(message: EmailMessage) -> None:
    body = message.get_body(("plain",))
    text = body.get_content() if isinstance(body, EmailMessage) else ""
    sys.stdout.write(f"To: {message['To']}\nSubject: {message['Subject']}\n\n{text}\n")
    sys.stdout.flush()
