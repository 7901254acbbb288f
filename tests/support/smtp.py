"""Real SMTP servers on the loopback: one accepts mails, one refuses, one hangs."""

import asyncio
import datetime
import ipaddress
import socket
import ssl
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.mailbox import parse


class Post:
    """A server with the received mails; `answers` replaces answers by command or recipient.

    After `quota` mails the server accepts mails without an answer.
    """

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.answers: dict[str, str] = {}
        self.port = free_port()
        self.quota = sys.maxsize

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def ids(self) -> list[str]:
        return [mail["Message-ID"] for mail in self.mails]

    async def handle_MAIL(  # noqa: N802 - the name is aiosmtpd's
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        envelope.mail_from = address
        return self.answers.get("MAIL", "250 OK")

    async def handle_RCPT(  # noqa: N802 - the name is aiosmtpd's
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if address in self.answers:
            return self.answers[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        answer = self.answers.get("DATA", "250 OK")
        if answer.startswith("2"):
            self.mails.append(parse(envelope.content))
        while len(self.mails) >= self.quota:
            await asyncio.sleep(0.01)
        return answer


@contextmanager
def post(**options: Any) -> Iterator[Post]:
    """Run a server that accepts mails during this context."""
    handler = Post()
    controller = Controller(handler, hostname="127.0.0.1", port=handler.port, **options)
    controller.start()
    try:
        yield handler
    finally:
        controller.stop()


class Hanging:
    """A server that accepts connections and never answers."""

    def __init__(self, server: socket.socket) -> None:
        self.server = server
        self.url = f"smtp://127.0.0.1:{server.getsockname()[1]}"

    def was_asked(self) -> bool:
        self.server.settimeout(0)
        try:
            self.server.accept()[0].close()
        except BlockingIOError:
            return False
        return True


@contextmanager
def hanging() -> Iterator[Hanging]:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield Hanging(server)


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port: int = server.getsockname()[1]
        return port


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """Return the certificate of a new authority for 127.0.0.1, and the server's TLS context."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "of the tests")])
    start = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    key_bytes = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain)
    public, both = folder / "public.pem", folder / "both.pem"
    public.write_bytes(made.public_bytes(encoding))
    both.write_bytes(made.public_bytes(encoding) + key_bytes)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return public, context
