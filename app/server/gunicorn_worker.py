"""Gunicorn's threaded worker with three corrections: stop accepting connections at SIGTERM, answer
unreadable requests by the app, and close connections without losing answers.

The classes here replace parts of Gunicorn that have no settings, by names that may change in any
release: app.server.worker_choice uses this module only with a tested series of Gunicorn.
"""

import signal
import socket
import time
from contextlib import suppress
from typing import Any

from gunicorn import util
from gunicorn.http import message, parser, wsgi
from gunicorn.http.errors import LimitRequestLine, ParseException
from gunicorn.workers import gthread

from app.server import bad_requests
from app.web.request_bodies import CLOSE, SILENCE

END_TIMEOUT = 10  # seconds that a client may go on sending after its last answer
HEAD_MAX = 65536  # bytes of the head that are read of a request whose first line is too long
HEAD_TIMEOUT = 1  # seconds


class Worker(gthread.ThreadWorker):
    """A worker that closes its listening sockets at SIGTERM.

    Gunicorn's own worker keeps them open until its last answer is sent, and a client that connects
    in the meantime never gets an answer.
    """

    def set_accept_enabled(self, enabled: bool) -> None:
        super().set_accept_enabled(enabled)
        if not self.alive:
            for listener in self.sockets:
                self._take_in(listener)
                listener.close()

    def _take_in(self, listener: Any) -> None:
        """Accept the connections that wait in the listener's backlog."""
        before = -1
        while before != self.nr_conns:
            before = self.nr_conns
            self.accept(listener)

    def handle(self, conn: Any) -> Any:
        """Answer a request, and close the connection here if the answer is its last.

        Gunicorn's own worker waits for the client in the main thread and blocks all connections.
        """
        stays_open = super().handle(conn)
        if stays_open is False:
            end(conn.sock, SILENCE if _may_send_more(conn) else 0)
        return stays_open

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        """Answer by the app if Gunicorn refuses a request or fails."""
        head = req.received.head if req else b""
        if isinstance(exc, Unreadable):
            head, exc = exc.head, exc.cause
        if isinstance(exc, LimitRequestLine):
            head = _rest_of_head(client, head)
        address = addr[0] if addr else ""  # none on a Unix socket
        with suppress(Exception):  # the client may be gone
            util.write_nonblock(client, bad_requests.answer(self.wsgi, exc, head, address))
        end(client, SILENCE)

    def handle_exit(self, sig: int, frame: Any) -> None:
        if self.alive:
            # A renewed master does not kill this worker if a request hangs.
            signal.alarm(self.cfg.graceful_timeout + 1)
        super().handle_exit(sig, frame)


def _may_send_more(conn: Any) -> bool:
    """Return True if the client did not expect that its last request would end the connection."""
    request = conn.parser and conn.parser.mesg
    return bool(request and request.closed_by_us)


def end(connection: socket.socket, silence: float) -> None:
    """Shut the sending side, then read and drop data until the client is silent for `silence`
    seconds or END_TIMEOUT is over.

    Closing a socket with unread data resets the connection, and the client may lose the answer
    (RFC 9112, 9.6). Gunicorn reads 64 KiB and waits in the main thread, which blocks all
    connections.
    """
    ends = time.monotonic() + END_TIMEOUT
    with suppress(OSError):
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(silence)
        while connection.recv(HEAD_MAX) and time.monotonic() < ends:
            pass
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)  # so that Gunicorn has nothing to wait for


def _rest_of_head(client: Any, head: bytes) -> bytes:
    """Return the whole head of a request whose first line is too long: the headers follow it."""
    ends = time.monotonic() + HEAD_TIMEOUT
    while b"\r\n\r\n" not in head and len(head) < HEAD_MAX:
        client.settimeout(max(ends - time.monotonic(), 0.001))
        try:
            data = client.recv(HEAD_MAX)
        except OSError:
            break
        if not data:
            break
        head += data
    return head


class Unreadable(ParseException):
    """Gunicorn cannot read a request, for this `cause`. `head` is the received part of its head."""

    def __init__(self, cause: Exception, head: bytes) -> None:
        self.cause, self.head = cause, head


class Received:
    """A reader for the parser that keeps the data: the answer to a bad request repeats parts."""

    def __init__(self, unreader: Any) -> None:
        self.unreader = unreader
        self.head = b""

    def read(self) -> bytes:
        data: bytes = self.unreader.read()
        self.head += data
        return data


class Request(message.Request):
    """A request that raises Unreadable with the received head where Gunicorn cannot read it."""

    closed_by_us = False  # True if the client did not ask to close the connection

    def __init__(self, *args: Any) -> None:
        try:
            super().__init__(*args)
        except ParseException as error:
            raise Unreadable(error, self.received.head) from error

    def parse(self, unreader: Any) -> Any:
        self.received = Received(unreader)
        return super().parse(self.received)


class Response(wsgi.Response):
    """A response that closes the connection if the app sends `Connection: close`."""

    req: Request

    def start_response(self, status: str, headers: Any, exc_info: Any = None) -> Any:
        if CLOSE in headers:  # Gunicorn ignores this header
            self.force_close()
        return super().start_response(status, headers, exc_info)

    def force_close(self) -> None:
        super().force_close()
        self.req.closed_by_us = True


# Gunicorn has no settings for these.
parser.RequestParser.mesg_class = Request
wsgi.Response = Response
