"""The end of a `flask worker` process."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import config
from tests.support import leaks
from tests.support.databases import close, make_app, migrate
from tests.support.gunicorn_server import PATIENCE, environ, until

WORKER = f"{sys.executable} -m flask worker"


@contextmanager
def started(folder: Path, script: str) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """Yield the shell that runs `script`, and the log of its started worker."""
    url = f"sqlite:///{folder / 'served.db'}"
    app = make_app(url)
    migrate(app)
    close(app)
    log = folder / "log"
    with log.open("wb") as stderr:
        shell = subprocess.Popen(
            ["sh", "-c", script], cwd=config.ROOT, env=environ(DATABASE_URL=url), stderr=stderr
        )
    try:
        until(lambda: "has started" in log.read_text())
        yield shell, log
    finally:
        shell.kill()
        shell.wait(PATIENCE)
        leaks.read(log)


def check(heartbeat: Path) -> int:
    command = [sys.executable, "deploy/healthcheck.py", str(heartbeat)]
    return subprocess.run(command, cwd=config.ROOT, stderr=subprocess.DEVNULL).returncode


def test_health_check_sees_whether_the_worker_goes_on(tmp_path: Path) -> None:
    heartbeat = tmp_path / "heartbeat"
    assert check(heartbeat) == 1
    with started(tmp_path, f"exec {WORKER} --heartbeat {heartbeat}"):
        until(heartbeat.exists)
        assert check(heartbeat) == 0
    os.utime(heartbeat, (0, 0))
    assert check(heartbeat) == 1


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_worker_stops_when_it_is_told_to(tmp_path: Path, sign: signal.Signals) -> None:
    with started(tmp_path, f"exec {WORKER}") as (worker, log):
        worker.send_signal(sign)
        assert worker.wait(PATIENCE) == 0
        assert "has stopped" in log.read_text()


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGKILL])
def test_worker_beside_another_process_ends_with_it(tmp_path: Path, sign: signal.Signals) -> None:
    with started(tmp_path, f"{WORKER} --beside $$ & exec sleep 60") as (other, log):
        assert other.poll() is None
        other.send_signal(sign)
        other.wait(PATIENCE)
        until(lambda: "has stopped" in log.read_text())
