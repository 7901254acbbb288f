"""Stopping and renewing the server without losing a request; gunicorn.conf.py puts it to use."""

import atexit
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from gunicorn import util
from gunicorn.arbiter import Arbiter
from gunicorn.workers import gthread

from app import refusals

OLD_WORKERS = "FLAGSTONE_OLD_WORKERS"  # an environment variable: process ids, for the next master
FIGURES = "FLAGSTONE_FIGURES"  # another one: the folder in which the workers count
MEMORY = Path("/dev/shm")  # noqa: S108
SIGNALS = {*Arbiter.SIGNALS, signal.SIGCHLD}
CHECK_TIMEOUT = 20  # seconds; no signal is heard while the new code is tried
# Seconds that a stopping worker leaves an idle connection open for what its client may be sending.
gthread.STOP_KEEPALIVE_LINGER = 1.0


class Worker(gthread.ThreadWorker):
    """A worker that shuts its door at once when it is told to stop.

    Gunicorn's own leaves its socket open until its last answer is sent, and whoever connects
    meanwhile waits for an answer that never comes.
    """

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

    def init_signals(self) -> None:
        super().init_signals()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})  # see `take_over`

    def handle_error(self, _req: Any, client: Any, addr: Any, exc: Exception) -> None:
        """Refuse what is no request, in our own words."""
        address = addr[0] if addr else ""  # none on a Unix socket
        answer = refusals.answer(exc, address, https=self.wsgi.config["HTTPS"])
        with suppress(Exception):  # nobody may be there any more
            util.write_nonblock(client, answer)

    def handle_exit(self, sig: int, frame: Any) -> None:
        super().handle_exit(sig, frame)
        # A master that was renewed does not know this worker and would not end it.
        signal.alarm(self.cfg.graceful_timeout + 1)


def renew(master: Arbiter) -> None:
    """SIGHUP: start the new code in the master's place, with its process id and its sockets.

    Gunicorn's own way would give new workers the old code, which the master has loaded for them.
    The old workers serve until the new ones are there; where the new code does not start they stay.
    """
    # Signals wait until the new master can handle them: `take_over` lets them through.
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    command, environ = [sys.executable, *sys.orig_argv[1:]], dict(master.cfg.env_orig)
    if not _starts(command, environ):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        master.log.error("The new code does not start: the old one stays.")
        return
    # The first two are how Gunicorn hands over its sockets.
    environ["GUNICORN_PID"] = str(os.getpid())
    environ["GUNICORN_FD"] = ",".join(str(listener.fileno()) for listener in master.LISTENERS)
    if FIGURES in os.environ:
        environ[FIGURES] = os.environ[FIGURES]
    environ[OLD_WORKERS] = " ".join(str(pid) for pid in master.WORKERS)
    os.chdir(master.START_CTX["cwd"])
    os.execve(sys.executable, command, environ)  # noqa: S606


def _starts(command: list[str], environ: dict[str, str]) -> bool:
    check = [*command, "--check-config"]
    try:
        done = subprocess.run(check, env=environ, check=False, timeout=CHECK_TIMEOUT)  # noqa: S603
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def take_over(master: Arbiter) -> None:
    """Let the workers of the master that was here before finish, and answer to signals."""
    master.handle_hup = lambda: renew(master)
    for pid in os.environ.pop(OLD_WORKERS, "").split():
        os.kill(int(pid), signal.SIGTERM)
    # A new worker that is told to stop before it listens for that would not hear it.
    os.register_at_fork(before=_hold_back_stops, after_in_parent=_let_stops_through)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


def _hold_back_stops() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})


def _let_stops_through() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


def share_figures() -> None:
    """Make the folder in which all workers count (app.metrics.shared), or go on with the one of the
    master that was here before.
    """
    if FIGURES not in os.environ:
        memory = MEMORY if MEMORY.is_dir() else None
        os.environ[FIGURES] = tempfile.mkdtemp(prefix="flagstone-", dir=memory)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = os.environ[FIGURES]
    atexit.register(_forget, os.environ[FIGURES], os.getpid())


def _forget(folder: str, master: int) -> None:
    if os.getpid() == master:  # and not a worker, which ends the same way
        shutil.rmtree(folder, ignore_errors=True)
