"""The how-to pages: their snippets fit the present code, and the result works."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

import config
from tests.support.snippets import apply, changed_by, commands

PAGES = sorted((config.ROOT / "docs" / "howto").glob("*.md"))
COPIED = ("app", "migrations", "environment", "config.py", "run.py", ".flaskenv", "pyproject.toml")
BIN = sysconfig.get_path("scripts")
# Uses each result as a client does, in one process, and prints the outcomes as JSON.
DRIVER = Path(__file__).with_name("howto_driver.py")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with the snippets of all pages."""
    folder = tmp_path_factory.mktemp("howto") / "project"
    folder.mkdir()
    for name in COPIED:
        source, target = config.ROOT / name, folder / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, target)
    files = {path for page in PAGES for path in apply(page, folder)}
    assert len(files) > 15
    return folder


def environment(project: Path, **more: str) -> dict[str, str]:
    return {
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "APP_ENV": "testing",
        "SECRET_KEY": "0123456789abcdef-of-the-tests-alone",
        "PORTAL_KEY": "a key that the portal knows",
        "DATABASE_URL": f"sqlite:///{project / 'test.db'}",
        **more,
    }


@pytest.fixture(scope="module")
def outcome(project: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, DRIVER],
        cwd=project,
        env={**environment(project), "PYTHONPATH": "."},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.slow
@pytest.mark.parametrize("check", [["check"], ["format", "--check", "--diff"]], ids=" ".join)
def test_snippets_pass_the_linter(project: Path, check: list[str]) -> None:
    done = subprocess.run(
        [f"{BIN}/ruff", *check, "--no-cache", "app", "config.py", "tenants.py"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_relation_is_migrated_and_seen_by_users_who_see_the_task(outcome: dict[str, Any]) -> None:
    assert outcome["relation"] == {"created": 201, "texts": ["Buy screws"], "stranger": 404}


@pytest.mark.slow
def test_declared_resource_is_exported_recorded_and_erased(outcome: dict[str, Any]) -> None:
    assert outcome["resource"] == {
        "created": 201,
        "location": True,
        "stranger": 404,
        "exported": ["The new shelf"],
        "recorded": [[{"name": [None, "The new shelf"]}], [{}]],
        "event": True,
    }


@pytest.mark.slow
def test_uploaded_file_comes_back_as_a_file_to_save(outcome: dict[str, Any]) -> None:
    assert outcome["upload"] == {
        "created": 201,
        "content": "%PDF-1.7 of a test",
        "disposition": "attachment",
        "another_kind": 422,
        "stranger": 404,
    }


@pytest.mark.slow
def test_link_of_the_portal_signs_in_once(outcome: dict[str, Any]) -> None:
    assert outcome["scheme"] == {"first": 303, "signed_in": 200, "again": 401, "forged": 401}


@pytest.mark.slow
def test_page_with_charts_is_shown(outcome: dict[str, Any]) -> None:
    assert outcome["chart"] == {"status": 200, "svg": True, "figures": True}


@pytest.mark.slow
def test_job_moves_old_tasks_alone(outcome: dict[str, Any]) -> None:
    assert outcome["job"] == {"moved": 1, "again": 0, "left": 1}


@pytest.mark.slow
def test_account_of_one_tenant_is_unknown_to_another(outcome: dict[str, Any]) -> None:
    assert outcome["tenant"] == {"north": 200, "south": 401, "west": 404}


@pytest.mark.slow
@pytest.mark.parametrize(("command", "output"), [each for page in PAGES for each in commands(page)])
def test_command_prints_what_the_page_shows(
    outcome: dict[str, Any], project: Path, command: str, output: str
) -> None:
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=project,
        env=environment(project),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert output in done.stdout + done.stderr


def test_diff_is_applied_at_its_lines() -> None:
    assert changed_by("a\nb\nc\n", " a\n-b\n+d\n") == "a\nd\nc\n"
    with pytest.raises(AssertionError):
        changed_by("a\nb\n", " b\n a\n+c\n")
