"""The packages of `make clients`, and the request collection, against the served app.

Without the packages, or without Bruno's program `bru`, the tests are skipped.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from flask import Flask

import config
from app.services.access import token_pairs
from app.services.shared.actor import Actor
from tests.conftest import PASSWORD
from tests.support.databases import Database
from tests.support.live import served

CLIENTS = config.ROOT / "clients"
BUILD = CLIENTS / "build"
PYTHON, TYPESCRIPT = BUILD / "python", BUILD / "typescript"
built = pytest.mark.skipif(not list(BUILD.glob("*.tgz")), reason="make clients builds the packages")


@pytest.fixture
def app(sqlite_database: Database) -> Flask:
    """The app on SQLite alone: a client does not depend on the database."""
    sqlite_database.empty()
    return sqlite_database.app


@pytest.fixture
def service(app: Flask, ann: Actor) -> Iterator[dict[str, str]]:
    """The address of the served app and Ann's token, as environment variables."""
    with app.app_context():
        token = token_pairs.sign_in(Actor(), ann.username, PASSWORD).access_token
    with served(app) as port:
        yield {"API": f"http://127.0.0.1:{port}", "TOKEN": token}


def run(
    *command: str | Path, folder: Path = config.ROOT, environ: Mapping[str, str] | None = None
) -> str:
    """Run a command with these variables added, and return its output."""
    ran = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **(environ or {})},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@built
def test_python_client_makes_a_round_trip(service: dict[str, str]) -> None:
    environ = {**service, "PYTHONPATH": str(PYTHON)}
    run(sys.executable, CLIENTS / "python" / "round_trip.py", environ=environ)


@built
def test_types_of_the_python_client_are_checked() -> None:
    """The types of the program are checked, and not the generated code itself."""
    program = CLIENTS / "python" / "round_trip.py"
    options = ("--strict", "--config-file=", "--follow-imports=silent")
    environ = {"MYPYPATH": str(PYTHON)}
    run(sys.executable, "-m", "mypy", *options, program, environ=environ)


@built
def test_typescript_client_makes_a_round_trip(service: dict[str, str]) -> None:
    printed = run("npm", "run", "round-trip", folder=TYPESCRIPT, environ=service)
    assert "round trip: ok" in printed


@built
def test_packages_hold_the_clients() -> None:
    (wheel,), (tarball,) = BUILD.glob("*.whl"), BUILD.glob("*.tgz")
    assert "_client/py.typed" in run(sys.executable, "-m", "zipfile", "--list", wheel)
    files = run(sys.executable, "-m", "tarfile", "--list", tarball)
    assert {"package/dist/src/index.js", "package/dist/src/api.d.ts"} <= set(files.split())


def test_collection_has_the_requests_of_the_readme_in_their_order() -> None:
    (tour,) = re.findall(r"```sh\n(.*?)```", (config.ROOT / "README.md").read_text(), re.DOTALL)
    lines = [line for line in tour.splitlines() if not line.startswith("TASK=")]
    requests = [path for line in lines for path in re.findall(r"\$API(/[^\s\"]+)", line)]
    files = sorted((CLIENTS / "tour").glob("[0-9]*.bru"))
    urls = [re.findall(r"url: {{api}}(\S+)", file.read_text())[0] for file in files]
    assert [url.replace("{{task}}", "$TASK") for url in urls] == requests


@pytest.mark.skipif(shutil.which("bru") is None, reason="Bruno is not installed")
def test_request_collection_is_the_tour_of_the_readme(app: Flask) -> None:
    with served(app) as port:
        api = f"api=http://127.0.0.1:{port}/api/v1"
        printed = run("bru", "run", "--env", "local", "--env-var", api, folder=CLIENTS / "tour")
    assert "9 Passed" in printed, printed
