"""Starts a service under Gunicorn, each in the same way, and reads its workers' CPU."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import psutil

WORKERS, THREADS = 2, 4


@dataclass
class Server:
    port: int
    process: psutil.Process

    def cpu(self) -> float:
        """Seconds of CPU, user and system, of all workers since they started."""
        times = [child.cpu_times() for child in self.process.children(recursive=True)]
        return sum(each.user + each.system for each in times)

    def memory(self) -> float:
        """MiB held by master and workers together, shared pages counted once (PSS)."""
        family = [self.process, *self.process.children(recursive=True)]
        return sum(each.memory_full_info().pss for each in family) / 2**20


@contextlib.contextmanager
def running(target: str, environ: dict[str, str], config: str | None) -> Iterator[Server]:
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", target, "--bind", f"127.0.0.1:{port}"]
    command += ["--workers", str(WORKERS), "--threads", str(THREADS), "--worker-class", "gthread"]
    command += ["--keep-alive", "30", "--no-control-socket"]
    command += ["--config", config] if config else ["--config", os.devnull]
    environ = {**os.environ, **environ, "PORT": str(port)}
    with subprocess.Popen(command, env=environ, stdout=sys.stderr) as started:
        try:
            wait_for(port)
            yield Server(port, psutil.Process(started.pid))
        finally:
            started.terminate()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def wait_for(port: int) -> None:
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise RuntimeError(f"nothing listens on {port}")
