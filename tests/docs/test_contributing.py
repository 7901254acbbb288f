"""The hooks and the development container use the locked tools and the targets of make."""

import json
import re
import shlex
from pathlib import Path

import pytest
import yaml

import config

HOOKS = yaml.safe_load((config.ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
CONTAINER = json.loads((config.ROOT / ".devcontainer" / "devcontainer.json").read_text("utf-8"))
MAKEFILE = (config.ROOT / "Makefile").read_text(encoding="utf-8")
FORMS = sorted((config.ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.md"))


def test_hooks_resolve_nothing_from_outside() -> None:
    assert [each["repo"] for each in HOOKS["repos"]] == ["local"]
    for hook in HOOKS["repos"][0]["hooks"]:
        assert hook["language"] == "system"
        assert "additional_dependencies" not in hook
        assert hook["entry"].startswith(".venv/bin/")


def test_hooks_run_what_make_check_runs() -> None:
    for hook in HOOKS["repos"][0]["hooks"]:
        command = shlex.split(hook["entry"].replace(".venv/bin/", "$(BIN)/"))
        tool = " ".join(part for part in command if part != "--force-exclude")
        assert f"@{tool}" in MAKEFILE or f"&& {tool}" in MAKEFILE, tool


def test_container_installs_by_make() -> None:
    target = CONTAINER["postCreateCommand"].removeprefix("make ")
    assert f"\n{target}:" in MAKEFILE
    assert CONTAINER["customizations"]["vscode"]["settings"][
        "python.defaultInterpreterPath"
    ].startswith(".venv/")


def test_container_has_the_newest_python_of_the_matrix() -> None:
    workflow = (config.ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    versions = re.findall(r'"(3\.\d+)"', re.findall(r"python: \[(.+)\]", workflow)[0])
    assert CONTAINER["image"].startswith(f"python:{versions[-1]}-")


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.stem)
def test_form_of_an_issue_has_its_name_and_purpose(form: Path) -> None:
    _, head, _ = form.read_text(encoding="utf-8").split("---\n", 2)
    assert {"name", "about", "labels"} <= yaml.safe_load(head).keys()


def test_actions_of_workflows_are_pinned_by_commit() -> None:
    for workflow in (config.ROOT / ".github" / "workflows").glob("*.yml"):
        for action in re.findall(r"uses: (\S+)", workflow.read_text(encoding="utf-8")):
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action), action
