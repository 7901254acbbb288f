"""The databases and services of the bench. Services under Gunicorn start in the same way."""

import contextlib
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg2

from tests.support import embedded_postgres

ROOT = Path(__file__).parents[1]
WORKERS, THREADS = 2, 4


@contextlib.contextmanager
def database() -> Iterator[str]:
    """Yield the URL of a PostgreSQL server that runs during this context."""
    with embedded_postgres.running() as server:
        yield server.url()


def new_database(url: str, name: str) -> str:
    """Return the URL of a new, empty database on the server of `url`."""
    connection = psycopg2.connect(url)
    connection.autocommit = True
    connection.cursor().execute(f"CREATE DATABASE {name}")
    connection.close()
    return url.replace("/postgres?", f"/{name}?")


def environ_of(url: str, workers: int = WORKERS, threads: int = THREADS) -> dict[str, str]:
    """Return the settings of the service: those of production, with everything on."""
    return {
        "APP_ENV": "production",
        "DATABASE_URL": url,
        "SECRET_KEY": "6f0cbd9a7f5e4c31a8d2e1b79c3f5a60",
        "PUBLIC_URL": "http://127.0.0.1",
        "WEB_CONCURRENCY": str(workers),
        "WEB_THREADS": str(threads),
        "RATELIMIT_DEFAULT": "999999999 per day",  # counted, but never reached
        "PYTHONDONTWRITEBYTECODE": "",  # the image contains bytecode too
    }


def migrate(environ: dict[str, str], folder: Path = ROOT) -> None:
    command = [sys.executable, "-m", "flask", "db", "upgrade"]
    subprocess.run(command, env={**os.environ, **environ}, cwd=folder, check=True)


@dataclass
class Server:
    port: int
    process: psutil.Process

    def cpu(self) -> float:
        """Return the seconds of CPU, user and system, of all workers since their start."""
        times = [child.cpu_times() for child in self.process.children(recursive=True)]
        return sum(each.user + each.system for each in times)

    def memory(self) -> float:
        """Return the MiB of master and workers together, shared pages counted once (PSS)."""
        family = [self.process, *self.process.children(recursive=True)]
        return sum(each.memory_full_info().pss for each in family) / 2**20


@contextlib.contextmanager
def serving(
    target: str,
    environ: dict[str, str],
    *,
    config: str = os.devnull,
    folder: Path = ROOT,
    python: str = sys.executable,
) -> Iterator[Server]:
    """Run `target` under Gunicorn. The log is written to a temporary file."""
    port = free_port()
    workers = environ.get("WEB_CONCURRENCY", str(WORKERS))
    threads = environ.get("WEB_THREADS", str(THREADS))
    command = [python, "-m", "gunicorn", target, "--bind", f"127.0.0.1:{port}"]
    command += ["--workers", workers, "--threads", threads, "--keep-alive", "30"]
    command += ["--config", config, "--no-control-socket"]
    if config == os.devnull:
        command += ["--worker-class", "gthread"]
    with started(command, port, {**environ, "PORT": str(port)}, folder) as server:
        yield server


@contextlib.contextmanager
def started(
    command: list[str], port: int, environ: dict[str, str], folder: Path = ROOT
) -> Iterator[Server]:
    """Run `command`, which serves at `port`, during this context. Shows its log on an error."""
    environ = {**os.environ, **environ}
    with (
        tempfile.TemporaryFile() as log,
        subprocess.Popen(command, env=environ, cwd=folder, stdout=log, stderr=log) as process,
    ):
        try:
            wait_for(port)
            yield Server(port, psutil.Process(process.pid))
        except BaseException:
            log.seek(0)
            sys.stderr.write(log.read().decode()[-3000:])
            raise
        finally:
            process.terminate()


# The libraries that the app is built on.
LIBRARIES = (
    "import argon2, flask, flask_login, flask_sqlalchemy, flask_wtf, marshmallow, orjson, psycopg2,"
    " sqlalchemy.dialects.postgresql, sqlalchemy.orm, wtforms"
)


def import_cpu(environ: dict[str, str], statement: str = "import run") -> float:
    """Return the seconds of CPU of an import in a new process, the least of five."""
    command = [sys.executable, "-c", statement]
    seconds = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, env={**os.environ, **environ}, cwd=ROOT, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(seconds)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def wait_for(port: int) -> None:
    for _ in range(300):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise RuntimeError(f"nothing listens on {port}")
