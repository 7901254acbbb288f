"""The installation of lock files into .venv: `python3 tools/install.py requirements.txt`.

Exactly the locked files are installed, by their hashes: pip resolves and builds nothing. A .venv
that is unfinished, moved, of another Python or of an older lock is replaced. Uses the standard
library alone.
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).absolute().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
RECORD = VENV / "installed.json"  # written last: a .venv without it is unfinished
PIP = ["-m", "pip", "--disable-pip-version-check", "--no-input"]
# The lock is complete, so pip has nothing to resolve. A source package would download its build
# tools, which no lock names.
INSTALL = ["install", "--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:"]
# Settings of pip that would install elsewhere than into .venv.
ELSEWHERE = {"PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PYTHONPATH", "PYTHONHOME"}
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"


class Failure(Exception):
    """The installation cannot go on. The message names the cause and the remedy."""


def install(locks: list[str]) -> None:
    """Make .venv hold the packages of `locks` and nothing else. Raises Failure."""
    if find_spec("ensurepip") is None:
        raise Failure(
            "This Python cannot make a virtual environment: it lacks the module ensurepip.\n"
            f"On Debian and Ubuntu: apt install python{VERSION}-venv"
        )
    with (ROOT / "Makefile").open() as held:
        with suppress(OSError):  # some network file systems have no locks
            fcntl.flock(held, fcntl.LOCK_EX)  # a second `make run` waits here
        wanted = {lock: _digest(ROOT / lock) for lock in locks}
        present = _installed()
        if wanted.items() <= present.items():
            return
        if not present or any(present.get(lock, wanted[lock]) != wanted[lock] for lock in locks):
            _make_venv()
            present = {}
        _install_locks([lock for lock in locks if lock not in present])
        RECORD.write_text(json.dumps({"place": _place(), "locks": {**present, **wanted}}))


def _digest(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes()).hexdigest()


def _place() -> list[str]:
    """Return the path and the Python of .venv, because its scripts and packages depend on both."""
    return [str(VENV), VERSION, os.path.realpath(sys.executable)]


def _installed() -> dict[str, str]:
    """Return the digest of each installed lock; none if .venv is not usable here."""
    try:
        record = json.loads(RECORD.read_text())
        locks: dict[str, str] = record["locks"] if record["place"] == _place() else {}
    except (OSError, ValueError, KeyError):
        return {}
    pip = VENV / "lib" / f"python{VERSION}" / "site-packages" / "pip" / "__init__.py"
    return locks if pip.exists() and os.access(PYTHON, os.X_OK) else {}


def _make_venv() -> None:
    command = [sys.executable, "-m", "venv", "--clear", str(VENV)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode != 0:
        shutil.rmtree(VENV, ignore_errors=True)
        raise Failure(f"python -m venv fails:\n{made.stdout}{made.stderr}".strip())


def _install_locks(locks: list[str]) -> None:
    sys.stderr.write(f"Installing {' and '.join(locks)} into .venv ...\n")
    for lock in locks:
        _pip(*INSTALL, "-r", lock)
    _pip("check")


def _pip(*arguments: str) -> str:
    command = [str(PYTHON), *PIP, *arguments]
    kept = {name: value for name, value in os.environ.items() if name not in ELSEWHERE}
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**kept, "PIP_USER": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise Failure(_explained(done.stdout))
    return done.stdout


def _explained(output: str) -> str:
    """Return the lines of pip that name the fault, with the remedy if known."""
    lines = [line for line in output.splitlines() if not line.startswith("WARNING")]
    if "from versions: none" in output:
        lines = [
            f"The package index {_index()} does not answer, or lacks a package:",
            lines[-1],
            "HTTPS_PROXY names a proxy, PIP_INDEX_URL an index of your own.",
        ]
    return "\n".join(["The locked packages cannot be installed.", *lines[-12:]])


def _index() -> str:
    """Return the URL of pip's index, without a password."""
    configured = re.findall(r"(?<!extra-)index-url='(.*)'", _pip("config", "list"))
    urls = [os.environ.get("PIP_INDEX_URL"), *reversed(configured), "https://pypi.org/simple"]
    return re.sub("//[^/@]*@", "//", next(url for url in urls if url))


if __name__ == "__main__":
    try:
        install(sys.argv[1:])
    except Failure as failure:
        sys.exit(str(failure))
