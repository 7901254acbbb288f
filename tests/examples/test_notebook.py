"""examples/notebook runs against the served app. `make examples` installs its requirements."""

import os
import subprocess
from pathlib import Path

import pytest
from flask import Flask

import config
from app.services.demo import seed
from tests.support.databases import Database
from tests.support.live import served

FOLDER = config.ROOT / "examples" / "notebook"
pytestmark = pytest.mark.skipif(
    not (FOLDER / ".venv" / "installed").exists(), reason="make examples installs pandas"
)


@pytest.fixture
def app(sqlite_database: Database) -> Flask:
    """The app on SQLite alone: an export does not depend on the database."""
    sqlite_database.empty()
    return sqlite_database.app


def test_notebook_prints_and_draws_each_week(app: Flask, tmp_path: Path) -> None:
    with app.app_context():
        admin = seed.seed()[0]
    chart = tmp_path / "chart.png"
    with served(app) as port:
        ran = subprocess.run(
            [FOLDER / ".venv" / "bin" / "python", FOLDER / "throughput.py"],
            env={
                **os.environ,
                "API": f"http://127.0.0.1:{port}/api/v1",
                "API_USER": admin.username,
                "API_PASSWORD": admin.password,
                "CHART": str(chart),
                "MPLBACKEND": "agg",
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
    header, _, *weeks = ran.stdout.splitlines()
    assert header.split() == ["done", "median", "p85"]
    assert 8 <= len(weeks) <= 10
    assert chart.read_bytes().startswith(b"\x89PNG")
