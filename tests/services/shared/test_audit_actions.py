"""Audit actions: each is declared once, by the module that records it, and the filter offers it."""

import ast
import html
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import config
from app.services.shared import audit
from app.services.shared.actor import SYSTEM, Actor
from tests.support.clients import Browser
from tests.support.rows import events

RECORDING = ("record", "record_each")
LOADED_BY_THE_APP = """
from app import create_app
from app.services.shared import audit

create_app()
print(*audit.ACTIONS)
"""


def calls(name: str) -> Iterator[tuple[str, ast.Call]]:
    """Yield the file and the syntax tree of each call of `audit.<name>`."""
    for path in sorted((config.ROOT / "app").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            function = node.func if isinstance(node, ast.Call) else None
            named = function.attr if isinstance(function, ast.Attribute) else ""
            if path.name == "audit.py" and isinstance(function, ast.Name):
                named = function.id
            if isinstance(node, ast.Call) and named == name:
                yield str(Path(path).relative_to(config.ROOT)), node


def words(call: ast.Call) -> list[str]:
    """Return the texts among the arguments of a call."""
    return [
        argument.value
        for argument in call.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    ]


def offered(page: str, attribute: str) -> set[str]:
    """Return the values of the options below the element with `attribute`."""
    part = re.search(rf"<\w+[^>]*{attribute}[^>]*>(.*?)</(?:select|datalist)>", page, re.DOTALL)
    assert part is not None
    return {html.unescape(value) for value in re.findall(r'value="([^"]+)"', part[1])}


def test_every_action_that_is_recorded_is_declared() -> None:
    recorded = {
        (file, words(call)[0]) for name in RECORDING for file, call in calls(name) if words(call)
    }
    assert len(recorded) > 30
    assert {pair for pair in recorded if pair[1] not in audit.ACTIONS} == set()


def test_app_loads_every_declaration() -> None:
    """A lazily imported module would declare its actions too late for the filter."""
    declared = {action for _, call in calls("declare") for action in words(call)[1:]}
    loaded = subprocess.run(
        [sys.executable, "-c", LOADED_BY_THE_APP],
        cwd=config.ROOT,
        env={"APP_ENV": "testing", "SECRET_KEY": "x" * 8 + "0123456789abcdef01234567"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert set(loaded) == declared


def test_filter_offers_every_action_and_every_kind(root_browser: Browser) -> None:
    page = root_browser.get("/admin/audit").text
    assert offered(page, 'id="actions"') == set(audit.ACTIONS)
    assert offered(page, 'name="target_type"') == set(audit.ACTIONS.values())


def test_filter_offers_what_a_fork_declares(
    root_browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "ACTIONS", dict(audit.ACTIONS))
    audit.declare("project", "project.archived")
    page = root_browser.get("/admin/audit?target_type=project").text
    assert "project.archived" in offered(page, 'id="actions"')
    assert "Not a valid choice" not in page


def test_action_is_declared_once() -> None:
    with pytest.raises(ValueError, match=r"task\.created"):
        audit.declare("task", "task.created")


@pytest.mark.usefixtures("ctx")
def test_action_that_is_not_declared_is_not_recorded(ann: Actor) -> None:
    before = len(events())
    with pytest.raises(KeyError):
        audit.record(SYSTEM, "task.misspelt", ann.id)
    assert len(events()) == before
