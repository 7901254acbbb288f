"""`flask worker`: sends what the outbox holds, and removes what has had its time.

Any number of them may run. SIGTERM and SIGINT let what is being sent end, and claim nothing more;
what a killed one was sending is sent once more when its lease ends.
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
from app.services.operations import purge, readiness
from app.services.outbox import outbox
from app.services.tasks import search as task_search

# What sends an entry: gives the status of the answer where there is one. Raises SendingFailed.
Sender = Callable[[OutboxEntry], int | None]

POLL = 0.5  # seconds between two looks at an outbox that had nothing
RENEW_EVERY = LEASE.total_seconds() / 3
PURGE_EVERY = 3600.0  # seconds
INDEX_EVERY = 15.0  # seconds between two looks for tasks that older code has stored
DRAIN = 25.0  # seconds that what is being sent may take when the worker is stopped
_log = logging.getLogger("flagstone.worker")


class Worker:
    def __init__(self, app: Flask, senders: Mapping[str, Sender], threads: int) -> None:
        self.app = app
        self.senders = senders
        self.threads = threads
        self.stopping = threading.Event()
        self._held: dict[str, OutboxEntry] = {}  # what is being sent now
        self._freed = threading.Event()  # a thread has nothing to do
        self._renewed_at = time.monotonic()
        self._index_at = 0.0
        self._purge_at = time.monotonic() + random.uniform(0, 60)  # noqa: S311 - not all at once

    def run(self, beside: int | None = None, heartbeat: Path | None = None) -> None:
        """Work until told to stop, or until the parent process, of id `beside`, is gone.

        `heartbeat` is touched every round, so that others see it go on.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop())
        _log.info("The worker has started.")
        pool = ThreadPoolExecutor(self.threads, "sender")
        while not self.stopping.is_set() and beside in (None, os.getppid()):
            if heartbeat:
                heartbeat.touch()
            self._freed.clear()
            if not self._tried(lambda: self._step(pool)):
                self._freed.wait(POLL)
        self._drain()
        pool.shutdown(wait=not self._held, cancel_futures=True)
        _log.info("The worker has stopped.")

    def stop(self) -> None:
        self.stopping.set()
        self._freed.set()

    def run_once(self) -> int:
        """Send all that is due, one after the other: how many entries that were."""
        number = 0
        with self.app.app_context():
            while claimed := outbox.claim(self.threads):
                for entry in claimed:
                    self._send(entry)
                number += len(claimed)
        return number

    def _step(self, pool: ThreadPoolExecutor) -> int:
        """How many entries were claimed."""
        with self.app.app_context():
            self._keep_up()
            free = self.threads - len(self._held)
            claimed = outbox.claim(free) if free else []
        for entry in claimed:
            self._held[entry.id] = entry
            pool.submit(self._work, entry)
        return len(claimed)

    def _keep_up(self) -> None:
        """Renew the leases, index what is not, and purge, when it is time."""
        moment = time.monotonic()
        if moment - self._renewed_at > RENEW_EVERY:
            self._renewed_at = moment
            for entry in list(self._held.values()):
                outbox.renew(entry)
        if moment > self._index_at:
            self._index_at = moment + INDEX_EVERY
            if number := task_search.catch_up():
                _log.info("Indexed for search: %d tasks", number)
        if moment > self._purge_at:
            self._purge_at = moment + PURGE_EVERY
            removed = purge.purge()
            _log.info("Purged: %s", ", ".join(f"{n} {kind}" for kind, n in removed.items()))

    def _work(self, entry: OutboxEntry) -> None:
        def send() -> int:
            with self.app.app_context():
                self._send(entry)
            return 1

        self._tried(send)  # what could not be noted is sent again when the lease ends
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
            failure = SendingFailed("An error of this service: its log tells more.")
        if failure is None:
            outbox.done(entry, status)
        else:
            again = outbox.failed(entry, failure.message, failure.answer, final=failure.final)
        _log_attempt(entry, failure, again, time.monotonic() - started)

    def _drain(self) -> None:
        ends = time.monotonic() + DRAIN
        while self._held and time.monotonic() < ends:
            time.sleep(0.05)

    def _tried(self, act: Callable[[], Any]) -> Any:
        """What `act` gives; 0 where the database is away or the like, which is logged."""
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
    """One line for each attempt, with the reason of a failure."""
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
