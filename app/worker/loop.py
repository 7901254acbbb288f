"""The loop of `flask worker`: it sends the entries of the outbox and deletes expired rows.

Any number of workers may run. After SIGTERM or SIGINT a worker claims no more entries and finishes
those it is sending. Another worker sends the entries of a killed one when their leases expire.
"""

import logging
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

from flask import Flask

from app.errors import AppError, SendingFailed
from app.logs import Line
from app.models import OutboxEntry
from app.models.outbox import LEASE
from app.services import hooks
from app.services.operations import purge, readiness
from app.services.outbox import outbox

# Sends an entry and returns the status of the response, or None. Raises SendingFailed.
Sender = Callable[[OutboxEntry], int | None]

POLL = 0.5  # seconds between two queries of an empty outbox
RENEW_EVERY = LEASE.total_seconds() / 3
PURGE_EVERY = 3600.0  # seconds
CATCH_UP_EVERY = 15.0  # seconds between two calls of the hooks that catch up
DRAIN = 25.0  # seconds to finish the current entries after a stop
_log = logging.getLogger("service.worker")


class Worker:
    def __init__(self, app: Flask, senders: Mapping[str, Sender], threads: int) -> None:
        self.app = app
        self.senders = senders
        self.threads = threads
        self.stopping = threading.Event()
        self._held: dict[str, OutboxEntry] = {}  # the entries being sent now
        self._freed = threading.Event()  # a thread is free
        self._renewed_at = time.monotonic()
        self._catch_up_at = 0.0
        self._purge_at = time.monotonic() + random.uniform(0, 60)  # noqa: S311 - not all at once

    def run(self, beside: int | None = None, heartbeat: Path | None = None) -> None:
        """Work until `stop` or a signal, or until the parent process of id `beside` has ended.

        Each round touches the file `heartbeat`, for health checks.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop())
        _log.info("The worker has started.")
        pool = ThreadPoolExecutor(self.threads, "sender")
        while not self.stopping.is_set() and beside in (None, os.getppid()):
            if heartbeat:
                heartbeat.touch()
            self._freed.clear()
            if not self._log_errors(lambda: self._step(pool)):
                self._freed.wait(POLL)
        self._drain()
        pool.shutdown(wait=not self._held, cancel_futures=True)
        _log.info("The worker has stopped.")

    def stop(self) -> None:
        self.stopping.set()
        self._freed.set()

    def run_once(self) -> int:
        """Send all due entries one after the other, and return their number."""
        number = 0
        with self.app.app_context():
            while claimed := outbox.claim(self.threads):
                for entry in claimed:
                    self._send(entry)
                number += len(claimed)
        return number

    def _step(self, pool: ThreadPoolExecutor) -> int:
        """Claim due entries for the free threads, and return the number of entries."""
        with self.app.app_context():
            self._keep_up()
            free = self.threads - len(self._held)
            claimed = outbox.claim(free) if free else []
        for entry in claimed:
            self._held[entry.id] = entry
            pool.submit(self._work, entry)
        return len(claimed)

    def _keep_up(self) -> None:
        """Renew the leases, catch up with older releases, and purge, each at its interval."""
        moment = time.monotonic()
        if moment - self._renewed_at > RENEW_EVERY:
            self._renewed_at = moment
            for entry in list(self._held.values()):
                outbox.renew(entry)
        if moment > self._catch_up_at:
            self._catch_up_at = moment + CATCH_UP_EVERY
            for kind, catch_up in hooks.CATCH_UP.items():
                if number := catch_up():
                    _log.info("Caught up: %d %s", number, kind)
        if moment > self._purge_at:
            self._purge_at = moment + PURGE_EVERY
            removed = purge.purge()
            _log.info("Purged: %s", ", ".join(f"{n} {kind}" for kind, n in removed.items()))

    def _work(self, entry: OutboxEntry) -> None:
        def send() -> int:
            with self.app.app_context():
                self._send(entry)
            return 1

        self._log_errors(send)  # an outcome that could not be stored is sent again after the lease
        del self._held[entry.id]
        self._freed.set()

    def _send(self, entry: OutboxEntry) -> None:
        started = time.monotonic()
        failure, again, status = None, None, None
        try:
            status = self.senders[entry.kind](entry)
        except SendingFailed as error:
            failure = error
        except Exception:
            what = (entry.kind, entry.name, entry.id, entry.request_id)
            _log.exception("%s %s %s of request %s cannot be sent", *what)
            failure = SendingFailed("An error of this service: see its log.")
        if failure is None:
            outbox.done(entry, status)
        else:
            again = outbox.failed(entry, failure.message, failure.answer, final=failure.final)
        _log_attempt(entry, failure, again, time.monotonic() - started)

    def _drain(self) -> None:
        ends = time.monotonic() + DRAIN
        while self._held and time.monotonic() < ends:
            time.sleep(0.05)

    def _log_errors(self, act: Callable[[], Any]) -> Any:
        """Return the result of `act`, or log an error (an unreachable database) and return 0."""
        try:
            return act()
        except AppError as error:
            _log.warning("%s", error.message)
        except Exception as error:
            with self.app.app_context():
                explained = readiness.explained(error)
            if isinstance(explained, AppError):
                _log.warning("%s", explained.message)
            else:
                _log.exception("An error of the worker")
        return 0


def _log_attempt(
    entry: OutboxEntry, failure: SendingFailed | None, again: datetime | None, seconds: float
) -> None:
    """Log one line for an attempt, with the reason of a failure."""
    outcome = "sent" if failure is None else "failed" if again else "given up"
    line = Line(
        kind=entry.kind,
        name=entry.name,
        id=entry.id,
        request_id=entry.request_id,
        attempt=entry.attempts,
        outcome=outcome,
        reason=failure.message if failure else "",
        again_at=again.isoformat() if again else "",
        milliseconds=round(seconds * 1000),
    )
    _log.log(logging.WARNING if failure else logging.INFO, "%s", line)
