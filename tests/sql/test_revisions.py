"""New revisions of a fork: ids and format, and /readyz finds the last one."""

import shutil
import subprocess
import sysconfig
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from flask_migrate import merge, migrate as autogenerate, revision, upgrade
from sqlalchemy import Column, Integer, Table

from app.errors import Unavailable
from app.extensions import db
from app.services.operations import readiness
from tests.support.databases import MIGRATIONS, close, make_app
from tests.tools import check_migrations

pytestmark = pytest.mark.slow
RUFF = Path(sysconfig.get_path("scripts")) / "ruff"
SINGLE = "revision: str = '{0}'\ndown_revision: str | None = '{1}'\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of migrations/, which /readyz reads."""
    copy = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(readiness, "REVISIONS", copy / "versions")
    readiness.head.cache_clear()
    yield copy
    readiness.head.cache_clear()


@pytest.fixture
def fork(tmp_path: Path, folder: Path) -> Iterator[Flask]:
    app = make_app(f"sqlite:///{tmp_path / 'fork.db'}")
    with app.app_context():
        upgrade(directory=str(folder))
        yield app
    close(app)


def digits() -> str:
    return datetime.now(UTC).strftime("%Y%m%d%H%M%S")


def test_new_revision_is_named_by_the_moment_in_utc_and_found(fork: Flask, folder: Path) -> None:
    before = digits()
    readiness.head.cache_clear()
    revision(directory=str(folder), message="Ours")
    assert before <= readiness.head() <= digits()
    assert (folder / "versions" / f"{readiness.head()}_ours.py").exists()
    with pytest.raises(Unavailable):
        readiness.check()
    upgrade(directory=str(folder))
    readiness.check()


def test_revisions_of_one_second_get_ids_in_their_order(fork: Flask, folder: Path) -> None:
    ids = []
    for _ in range(3):
        revision(directory=str(folder), message="Ours")
        readiness.head.cache_clear()
        ids.append(int(readiness.head()))
    assert ids == sorted(set(ids))


def test_command_names_a_merge_by_the_moment_too(
    fork: Flask, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "REVISIONS", folder / "versions")
    last = readiness.head()
    for name in ("left", "right"):
        revision(directory=str(folder), head=last, rev_id=name, splice=True)
    before = digits()
    arguments = ["db", "merge", "--directory", str(folder), "heads"]
    result = fork.test_cli_runner().invoke(args=arguments)
    assert result.exit_code == 0, result.output
    readiness.head.cache_clear()
    assert before <= readiness.head() <= digits()


def test_id_that_was_given_stays(fork: Flask, folder: Path) -> None:
    readiness.head.cache_clear()
    revision(directory=str(folder), rev_id="ours")
    assert readiness.head() == "ours"


def test_single_quotes_and_annotations_are_read(folder: Path) -> None:
    text = SINGLE.format("9999", readiness.head())
    (folder / "versions" / "9999_ours.py").write_text(text, encoding="utf-8")
    readiness.head.cache_clear()
    assert readiness.head() == "9999"


def test_two_last_ones_are_told_and_a_merge_is_the_last(fork: Flask, folder: Path) -> None:
    last = readiness.head()
    for name in ("left", "right"):
        revision(directory=str(folder), head=last, rev_id=name, splice=True)
    readiness.head.cache_clear()
    with pytest.raises(Unavailable, match="2 migration heads"):
        readiness.check()
    merge(directory=str(folder), revisions="heads", rev_id="2")
    assert readiness.head() == "2"
    upgrade(directory=str(folder))
    readiness.check()


def test_new_revision_passes_the_linter(fork: Flask, folder: Path) -> None:
    before = set(folder.rglob("*.py"))
    extra = Table("extra", db.metadata, Column("id", Integer, primary_key=True))
    try:
        autogenerate(directory=str(folder), message="Extra")
    finally:
        db.metadata.remove(extra)
    upgrade(directory=str(folder))
    revision(directory=str(folder), message="Empty")
    made = sorted(set(folder.rglob("*.py")) - before)
    assert len(made) == 2
    command = [
        str(RUFF),
        "check",
        "--config",
        "pyproject.toml",
        "--ignore",
        "INP001",
        *map(str, made),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_check_reads_the_revisions_on_both_sides_of_a_merge(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = check_migrations.head()
    for name in ("20990101000001", "20990101000002"):
        text = f"revision = '{name}'\ndown_revision = '{last}'\n"
        (folder / "versions" / f"{name}.py").write_text(text)
    joined = "revision = '20990101000003'\ndown_revision = ('20990101000001', '20990101000002')\n"
    (folder / "versions" / "20990101000003.py").write_text(joined)
    monkeypatch.setattr(check_migrations, "MIGRATIONS", str(folder))
    later = {(last, "20990101000001"), (last, "20990101000002")}
    assert set(check_migrations.revisions()[-2:]) == later
    assert check_migrations.head() == "20990101000003"
