"""The Gunicorn worker that serves the app: its own threaded one, mended and made quicker."""

import os
import select
import signal
import socket
import threading
import time
from collections import deque
from contextlib import suppress
from typing import Any

from gunicorn import util
from gunicorn.http import message, parser, wsgi
from gunicorn.http.errors import LimitRequestLine, ParseException
from gunicorn.workers import gthread

from app.server import bad_requests
from app.web.request_bodies import CLOSE, SILENCE

LINGER = 5  # milliseconds that a thread waits for the next request of its connection
END_TIMEOUT = 10  # seconds that a client gets to end what it sends, after its last answer
HEAD_MAX = 65536  # bytes of a request's head that are read to answer one whose line is too long
HEAD_TIMEOUT = 1  # seconds
# Seconds that a stopping worker leaves an idle connection open for what its client may be sending.
gthread.STOP_KEEPALIVE_LINGER = 1.0


class Worker(gthread.ThreadWorker):
    """A worker that closes its listening sockets as soon as it is asked to stop.

    Gunicorn's own worker keeps them open until its last answer is sent, and a client that
    connects meanwhile waits for an answer that never comes.
    """

    def init_process(self) -> None:
        self.working: deque[Any] = deque()  # the connections that have a thread
        self.lingering: deque[_Wake] = deque()  # those of the threads that wait for more of theirs
        self.own = _Own()
        super().init_process()

    def set_accept_enabled(self, enabled: bool) -> None:
        super().set_accept_enabled(enabled)
        if not self.alive:
            for listener in self.sockets:
                self._take_in(listener)
                listener.close()

    def _take_in(self, listener: Any) -> None:
        """Accept who has been waiting at the door already."""
        known = -1
        while known != self.nr_conns:
            known = self.nr_conns
            self.accept(listener)

    def enqueue_req(self, conn: Any) -> None:
        super().enqueue_req(conn)
        if self._others_wait():
            with suppress(IndexError):
                self.lingering.popleft().call()

    def handle(self, conn: Any) -> Any:
        """Answer a request, and those that follow on its connection while nobody else waits.

        Gunicorn's own gives the connection back after each answer to its main thread, which waits
        for the next request and hands it to a thread again: a quarter of the CPU of a probe.
        """
        self.working.append(conn)
        try:
            while (kept := super().handle(conn)) is True and self.alive and self._asks_again(conn):
                pass
            if kept is False:
                end(conn.sock, SILENCE if _may_send_more(conn) else 0)
        finally:
            self.working.remove(conn)
        return kept

    def _asks_again(self, conn: Any) -> bool:
        if self._others_wait():
            return False
        if conn.parser.unreader.buf.getvalue():  # it came along with the request before
            return True
        return self._linger(conn, self.own.wake) and not self._others_wait()

    def _linger(self, conn: Any, wake: "_Wake") -> bool:
        """Whether `conn` sends something before somebody else does."""
        waiting = select.poll()
        waiting.register(conn.sock, select.POLLIN)
        waiting.register(wake.reads, select.POLLIN)
        self.lingering.append(wake)
        try:
            ready = waiting.poll(0 if self._others_wait() else LINGER)
            return any(number != wake.reads for number, _ in ready)
        finally:
            try:
                self.lingering.remove(wake)
            except ValueError:  # it was taken out, to be called
                wake.heard()

    def _others_wait(self) -> bool:
        """Whether there are connections for which no thread is left."""
        asked_for: int = self.tpool._work_queue.qsize() + len(self.working)
        return asked_for > int(self.cfg.threads)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        """Answer in the app's words where Gunicorn refuses a request, or fails itself."""
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
            # A renewed master does not end this worker if a request hangs.
            signal.alarm(self.cfg.graceful_timeout + 1)
        super().handle_exit(sig, frame)


class _Wake:
    """What calls a thread away from where it lingers."""

    def __init__(self) -> None:
        self.reads, self.writes = os.pipe()

    def call(self) -> None:
        os.write(self.writes, b".")

    def heard(self) -> None:
        os.read(self.reads, 1)


class _Own(threading.local):
    """What each thread has for itself."""

    def __init__(self) -> None:
        self.wake = _Wake()


def _may_send_more(conn: Any) -> bool:
    """True if the client did not know that its last request would be the last one."""
    asked = conn.parser and conn.parser.mesg
    return bool(asked and asked.closed_by_us)


def end(connection: socket.socket, silence: float) -> None:
    """Say that nothing more is sent, and read what the client still sends, until it is silent for
    so many seconds.

    To close a socket with something unread in it resets the connection, and the client may lose the
    answer (RFC 9112, 9.6). Gunicorn's own reads 64 KiB, and waits for each client in its main
    thread, which serves nobody meanwhile.
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
    """All of a request's head of which the first line is too long: its headers come after that."""
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
    """Gunicorn cannot read a request, for this `cause`, of whose head it received so much."""

    def __init__(self, cause: Exception, head: bytes) -> None:
        self.cause, self.head = cause, head


class Received:
    """Reads for a parser, and keeps what it has read: a refusal repeats parts of it."""

    def __init__(self, unreader: Any) -> None:
        self.unreader = unreader
        self.head = b""

    def read(self) -> bytes:
        data: bytes = self.unreader.read()
        self.head += data
        return data


class Request(message.Request):
    """A request that tells what was received of it where it cannot be read."""

    closed_by_us = False  # and not because the client asked for it

    def __init__(self, *given: Any) -> None:
        try:
            super().__init__(*given)
        except ParseException as error:
            raise Unreadable(error, self.received.head) from error

    def parse(self, unreader: Any) -> Any:
        self.received = Received(unreader)
        return super().parse(self.received)


class Response(wsgi.Response):
    """Sends the headers along with the first piece of the body: one packet and not two. Closes the
    connection where the app says so."""

    sock: Any

    req: Request

    def start_response(self, status: str, headers: Any, exc_info: Any = None) -> Any:
        if CLOSE in headers:  # Gunicorn leaves this header out, and decides by itself
            self.force_close()
        return super().start_response(status, headers, exc_info)

    def force_close(self) -> None:
        super().force_close()
        self.req.closed_by_us = True

    def write(self, arg: bytes) -> None:
        if self.headers_sent:
            super().write(arg)
            return
        wire, self.sock = self.sock, _Packet()
        try:
            super().write(arg)
        finally:
            packet, self.sock = self.sock, wire
        wire.sendall(packet)


class _Packet(bytearray):
    """Stands for the socket while a packet is put together."""

    sendall = bytearray.extend


# Gunicorn has no settings for these.
parser.RequestParser.mesg_class = Request
wsgi.Response = Response
