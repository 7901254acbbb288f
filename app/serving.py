"""Stopping and renewing the server without losing a request; gunicorn.conf.py puts it to use."""

import atexit
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from gunicorn.arbiter import Arbiter

OLD_WORKERS = "FLAGSTONE_OLD_WORKERS"  # an environment variable: process ids, for the next master
FIGURES = "FLAGSTONE_FIGURES"  # another one: the folder in which the workers count
MEMORY = Path("/dev/shm")  # noqa: S108
SIGNALS = {*Arbiter.SIGNALS, signal.SIGCHLD}
CHECK_TIMEOUT = 20  # seconds; no signal is heard while the new code is tried


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
