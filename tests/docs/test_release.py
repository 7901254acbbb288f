"""The changelog has its form, and `make release-check` finds each fault of a release."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import config
from app.version import VERSION
from tests.tools import check_release as checks
from tests.tools.check_release import FORKS, SECTION, Repository, numbers, outdated

CHANGELOG = (config.ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
GET = {"security": [], "responses": {"200": {"description": "A task"}}}
NOTES = "# Changelog\n\n## 1.1.0 (2026-11-30)\n\nNew.\n\n### For forks\n\n- Nothing.\n"


@pytest.fixture
def project(tmp_path: Path) -> Repository:
    """A repository with the tag v1.0.0, and the version 1.1.0 ready for its tag."""
    made = Repository(tmp_path)
    made.git("init", "--quiet", "--initial-branch", "main")
    made.git("config", "user.email", "ann@example.com")
    made.git("config", "user.name", "Ann")
    write(made, "app/version.py", 'VERSION = "1.0.0"\n')
    write(made, "docs/openapi.json", json.dumps({"paths": {"/tasks": {"get": GET}}}))
    commit(made)
    made.git("tag", "v1.0.0")
    write(made, "app/version.py", 'VERSION = "1.1.0"\n')
    write(made, "CHANGELOG.md", NOTES)
    commit(made)
    return made


def write(project: Repository, name: str, text: str) -> None:
    path = project.root / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")


def commit(project: Repository) -> None:
    project.git("add", "--all")
    project.git("commit", "--quiet", "--no-gpg-sign", "--message", "Work")


@pytest.fixture
def answer_of_ci(project: Repository, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """A function that puts a `gh` with this output first in the path."""

    def answer(output: str) -> None:
        folder = project.root.parent / "bin"
        folder.mkdir(exist_ok=True)
        (folder / "gh").write_text(f"#!/bin/sh\necho '{output}'\n")
        (folder / "gh").chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    return answer


def test_newest_section_is_the_version_of_the_code() -> None:
    assert SECTION.findall(CHANGELOG)[0][0] == VERSION


def test_versions_descend_and_each_has_a_section_for_forks() -> None:
    sections = SECTION.findall(CHANGELOG)
    versions = [numbers(version) for version, _, _ in sections]
    assert versions == sorted(set(versions), reverse=True)
    assert [version for version, _, text in sections if not FORKS.search(text)] == []


@pytest.mark.parametrize("check", [checks.tree, checks.version, checks.changelog, checks.contract])
def test_ready_release_has_no_fault(
    project: Repository, check: Callable[[Repository], list[str]]
) -> None:
    assert list(check(project)) == []


def test_file_that_is_not_committed_is_found(project: Repository) -> None:
    write(project, "notes.txt", "later")
    assert list(checks.tree(project)) == ["not committed: notes.txt"]


@pytest.mark.parametrize("version", ["1.0.0", "0.9.9", "1.1", "1.01.0", "1.1.0-rc1"])
def test_version_that_does_not_follow_the_last_tag_is_found(
    project: Repository, version: str
) -> None:
    write(project, "app/version.py", f'VERSION = "{version}"\n')
    assert len(list(checks.version(project))) == 1


def test_tags_are_compared_by_number(project: Repository) -> None:
    project.git("tag", "v1.10.0")
    project.git("tag", "v1.9.0")
    assert project.last_tag == "v1.10.0"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("1.1.0 (", "1.0.9 ("),
        ("2026-11-30", "unreleased"),
        ("### For forks", "### Others"),
        ("- Nothing.", ""),
        ("## 1.1.0", "Some words"),
    ],
)
def test_incomplete_changelog_is_found(project: Repository, old: str, new: str) -> None:
    write(project, "CHANGELOG.md", NOTES.replace(old, new))
    assert len(list(checks.changelog(project))) == 1


def test_change_that_breaks_clients_needs_a_major_version(project: Repository) -> None:
    write(project, "docs/openapi.json", json.dumps({"paths": {}}))
    assert list(checks.contract(project)) == ["GET /tasks is gone"]
    write(project, "app/version.py", 'VERSION = "2.0.0"\n')
    assert list(checks.contract(project)) == []


def test_first_release_has_nothing_to_break(project: Repository) -> None:
    project.git("tag", "--delete", "v1.0.0")
    assert list(checks.contract(project)) == []
    assert list(checks.version(project)) == []


def test_failed_check_of_migrations_is_shown(project: Repository) -> None:
    assert "No module named" in "".join(checks.migrations(project))  # it is not in this repository


def test_lock_that_cannot_be_made_is_found(project: Repository) -> None:
    assert len(list(checks.lock(project))) == len(checks.LOCKS)  # there are no inputs


def test_packages_that_differ_between_locks_are_found() -> None:
    old = "a==1 \\\n    --hash=x\nb==1 ; sys_platform == 'win32'\nb==2\nc==1\n"
    assert outdated(old, old) == []
    assert outdated(old, old.replace("b==2", "b==3").replace("c==1", "d==1")) == [
        "b 1, 2 -> 1, 3",
        "c 1 -> none",
        "d none -> 1",
    ]


@pytest.mark.parametrize(
    ("output", "faults"),
    [
        ('[{"conclusion": "success"}]', 0),
        ('[{"conclusion": "failure"}]', 1),
        ('[{"conclusion": ""}]', 1),
        ("[]", 1),
    ],
)
def test_commit_without_a_successful_run_of_ci_is_found(
    project: Repository, answer_of_ci: Callable[[str], None], output: str, faults: int
) -> None:
    answer_of_ci(output)
    assert len(list(checks.continuous_integration(project))) == faults


def test_missing_client_of_ci_is_a_fault(
    project: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    assert len(list(checks.continuous_integration(project))) == 1


def test_target_runs_every_check() -> None:
    done = subprocess.run(
        ["make", "--dry-run", "release-check"],
        cwd=config.ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "tests.tools.check_release" in done.stdout
    names = {check.__name__ for check in checks.CHECKS}
    assert names >= {"tree", "version", "changelog", "contract", "migrations", "lock"}
