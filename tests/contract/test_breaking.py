"""The check for breaking changes finds them and accepts all other changes."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.routes import DOCUMENT
from tests.tools.breaking import breaks

Document = dict[str, Any]
TASKS, TASK = "/api/v1/tasks", "/api/v1/tasks/{task_id}"


def schema(document: Document, name: str) -> Document:
    found: Document = document["components"]["schemas"][name]
    return found


def alternatives(document: Document, *names: str) -> None:
    """Make the answer to reading a task one of these schemas."""
    content = document["paths"][TASK]["get"]["responses"]["200"]["content"]["application/json"]
    content["schema"] = {"anyOf": [{"$ref": f"#/components/schemas/{name}"} for name in names]}


BREAKING: dict[str, Callable[[Document], Any]] = {
    "an operation goes": lambda new: new["paths"][TASK].pop("put"),
    "a path goes": lambda new: new["paths"].pop(TASK),
    "a field of the answer goes": lambda new: schema(new, "Task")["properties"].pop("version"),
    "a field of the answer may be missing": lambda new: schema(new, "Task")["required"].pop(),
    "a field of the answer may be null": lambda new: schema(new, "Task")["properties"][
        "title"
    ].update(type=["string", "null"]),
    "a field of the body goes": lambda new: schema(new, "TaskIn")["properties"].pop("due_at"),
    "a field of the body is required": lambda new: schema(new, "TaskIn")["required"].append(
        "status"
    ),
    "a limit is tightened": lambda new: schema(new, "TaskIn")["properties"]["title"].update(
        maxLength=100
    ),
    "a word goes": lambda new: schema(new, "TaskIn")["properties"]["status"]["enum"].remove("done"),
    "a parameter goes": lambda new: new["paths"][TASKS]["get"]["parameters"].pop(),
    "a parameter is required": lambda new: new["paths"][TASKS]["get"]["parameters"][-1].update(
        required=True
    ),
    "another scope is needed": lambda new: new["paths"][TASKS]["get"].update(
        security=[{"bearer": ["admin"]}]
    ),
    "one more scope is needed": lambda new: new["paths"][TASKS]["get"].update(
        security=[{"bearer": ["tasks:read", "admin"]}]
    ),
    "strangers are refused": lambda new: new["paths"]["/api/v1/auth/login"]["post"].update(
        security=[{"bearer": []}]
    ),
    "the old answer is not the first alternative": lambda new: alternatives(
        new, "PublicUser", "Task"
    ),
    "a type of body goes": lambda new: new["paths"][TASK]["patch"]["requestBody"]["content"].pop(
        "application/json"
    ),
}
HARMLESS: dict[str, Callable[[Document], Any]] = {
    "nothing": lambda _new: None,
    "a field of the answer comes": lambda new: schema(new, "Task")["properties"].update(
        colour={"type": "string"}
    ),
    "a field of the body comes": lambda new: schema(new, "TaskIn")["properties"].update(
        colour={"type": "string"}
    ),
    "a path comes": lambda new: new["paths"].update({"/api/v1/projects": {}}),
    "a scope less is needed": lambda new: new["paths"][TASKS]["get"].update(
        security=[{"bearer": []}]
    ),
    "one of two scopes suffices": lambda new: new["paths"][TASKS]["get"].update(
        security=[{"bearer": ["admin"]}, {"bearer": ["tasks:read"]}]
    ),
    "an alternative to the answer comes": lambda new: alternatives(new, "Task", "PublicUser"),
    "a text changes": lambda new: new["paths"][TASKS]["get"].update(summary="Tasks"),
}


@pytest.mark.parametrize("change", BREAKING.values(), ids=BREAKING.keys())
def test_what_breaks_a_client_is_found(change: Callable[[Document], Any]) -> None:
    new = copy.deepcopy(DOCUMENT)
    change(new)
    assert breaks(DOCUMENT, new)


@pytest.mark.parametrize("change", HARMLESS.values(), ids=HARMLESS.keys())
def test_what_breaks_no_client_passes(change: Callable[[Document], Any]) -> None:
    new = copy.deepcopy(DOCUMENT)
    change(new)
    assert breaks(DOCUMENT, new) == []
