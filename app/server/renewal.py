"""Reload and stop of the server without losing a request; used by gunicorn.conf.py.

Gunicorn's own reload forks new workers from the code that the master has loaded: with `preload_app`
that is the old code, and without `preload_app` new code that does not start ends the service. So
the master first tries the new code in a child and then replaces itself with the new code (exec).
The process id, the sockets and the old workers stay.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from gunicorn.arbiter import Arbiter

from app.product import SLUG

# Environment variables that one master passes to the next.
OLD_WORKERS = f"{SLUG.upper()}_OLD_WORKERS"  # their process ids
FIGURES = f"{SLUG.upper()}_FIGURES"  # the folder of the workers' metrics
SOCKETS, MASTER = "GUNICORN_FD", "GUNICORN_PID"  # Gunicorn's own, for its sockets
HANDED_OVER = {OLD_WORKERS, FIGURES, SOCKETS, MASTER, "LISTEN_PID", "LISTEN_FDS"}

MEMORY = Path("/dev/shm")  # noqa: S108
SIGNALS = {*Arbiter.SIGNALS, signal.SIGCHLD}
STOPS = {signal.SIGTERM, signal.SIGINT, signal.SIGQUIT}
CHECK_TIMEOUT = 180  # seconds; a busy machine needs many

old_workers: list[int] = []  # children that an earlier master started and that may still run


def take_over(master: Arbiter) -> None:
    """Make SIGHUP renew this master, and stop the workers of an earlier master."""
    wait_for_signals = master.wait_for_signals

    def renewals_last(timeout: float = 1.0) -> list[int]:
        """Return SIGHUP last: a renewal drops the signals that the master has not handled yet."""
        received: list[int] = wait_for_signals(timeout)
        return sorted(received, key=lambda number: number == signal.SIGHUP)

    master.wait_for_signals = renewals_last
    master.handle_hup = lambda: renew(master)
    old_workers.extend(int(pid) for pid in os.environ.pop(OLD_WORKERS, "").split())
    for pid in filter(_is_running, old_workers):
        os.kill(pid, signal.SIGTERM)
    # A new worker would lose a SIGTERM that arrives before its own handler is installed.
    os.register_at_fork(
        before=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM}),
        after_in_parent=hear_stops,
    )
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


def hear_stops() -> None:
    """Unblock SIGTERM; in a new worker once its handler is installed."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


def renew(master: Arbiter) -> None:
    """Replace the master with the new code. If the new code does not start, nothing changes.

    Signals are blocked from here until the new master's `take_over`, across the exec.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    folder = master.START_CTX["cwd"]
    command = [sys.executable, *sys.orig_argv[1:]]
    environ = {
        name: value for name, value in master.cfg.env_orig.items() if name not in HANDED_OVER
    }
    try:
        if starts(command, folder, environ):
            os.chdir(folder)
            os.execve(sys.executable, command, environ | _handed_over(master))  # noqa: S606
        fault = "it does not start"
    except OSError as error:
        fault = str(error)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    master.log.error("The new code is refused, the old code keeps running: %s", fault)


def starts(command: list[str], folder: str, environ: dict[str, str]) -> bool:
    """Return True if the new code loads, False if not or if the master must stop meanwhile.

    Raises OSError if the command cannot be executed.
    """
    check = [*command, "--check-config"]
    with subprocess.Popen(check, cwd=folder, env=environ) as process:  # noqa: S603
        ends = time.monotonic() + CHECK_TIMEOUT
        while process.poll() is None:
            if time.monotonic() > ends or signal.sigpending() & STOPS:
                process.kill()
            time.sleep(0.05)
    return process.returncode == 0


def _handed_over(master: Arbiter) -> dict[str, str]:
    workers = [*master.WORKERS, *filter(_is_running, old_workers)]
    handed_over = {
        MASTER: str(os.getpid()),
        SOCKETS: ",".join(str(listener.fileno()) for listener in master.LISTENERS),
        OLD_WORKERS: " ".join(map(str, workers)),
    }
    if FIGURES in os.environ:
        handed_over[FIGURES] = os.environ[FIGURES]
    return handed_over


def _is_running(pid: int) -> bool:
    """Return True if `pid` is a running child of this process."""
    with suppress(ChildProcessError):
        return os.waitpid(pid, os.WNOHANG) == (0, 0)
    return False


def wait_for_old_workers() -> None:
    """Wait until the workers of earlier masters have ended, each within its grace period."""
    for pid in old_workers:
        with suppress(ChildProcessError):
            os.waitpid(pid, 0)


def share_figures() -> None:
    """Create the folder of all workers' metrics (app.metrics.shared), or reuse the earlier
    master's."""
    folder = os.environ.get(FIGURES, "")
    if not _is_own(folder):
        memory = MEMORY if MEMORY.is_dir() else None
        folder = tempfile.mkdtemp(prefix=f"service-{os.getpid()}_", dir=memory)
    os.environ[FIGURES] = os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder


def remove_figures() -> None:
    """Remove the metrics folder, but not in a child of its creator."""
    folder = os.environ.get(FIGURES, "")
    if _is_own(folder):
        shutil.rmtree(folder, ignore_errors=True)


def _is_own(folder: str) -> bool:
    """Return True if this process created the folder, before or after an exec."""
    # An earlier release, renewed in place, used another prefix.
    return Path(folder).name.rpartition("-")[2].startswith(f"{os.getpid()}_")
