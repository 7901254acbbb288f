"""Audit actions: each is declared once, by a resource, and the filter offers it."""

import ast
import html
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import config
from app.models.registry import RESOURCES
from app.services.shared import audit
from app.services.shared.actor import SYSTEM, Actor
from tests.support.clients import Browser
from tests.support.rows import events

RECORDING = ("record", "record_each")


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


def constants() -> Iterator[str]:
    """Yield every text in the code of the services, without the list of notices."""
    for path in (config.ROOT / "app" / "services").rglob("*.py"):
        if path.name == "notices.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


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


def test_every_declared_action_is_recorded() -> None:
    recorded = set(constants()) | {each.purge.action for each in RESOURCES if each.purge}
    missing = audit.ACTIONS.keys() - recorded
    formatted = {"user.password_changed", "user.password_removed", "webhook.updated"}
    assert missing == formatted  # two by one text, one by app.services.shared.records


def test_filter_offers_every_action_and_every_kind(root_browser: Browser) -> None:
    page = root_browser.get("/admin/audit").text
    assert offered(page, 'id="actions"') == set(audit.ACTIONS)
    assert offered(page, 'name="target_type"') == set(audit.ACTIONS.values())


def test_filter_offers_what_a_fork_declares(
    root_browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "ACTIONS", {**audit.ACTIONS, "project.archived": "project"})
    page = root_browser.get("/admin/audit?target_type=project").text
    assert "project.archived" in offered(page, 'id="actions"')
    assert "Not a valid choice" not in page


@pytest.mark.usefixtures("ctx")
def test_action_that_is_not_declared_is_not_recorded(ann: Actor) -> None:
    before = len(events())
    with pytest.raises(KeyError):
        audit.record(SYSTEM, "task.misspelt", ann.id)
    assert len(events()) == before
