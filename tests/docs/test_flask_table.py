"""Each place that docs/flask.md names is there: the file, and the symbol in it."""

import ast
import re
from pathlib import Path

import pytest

import config

PAGE = config.ROOT / "docs" / "flask.md"
PLACES = re.findall(r"\[`([^`]+)`\]\(\.\./([^)#]+)\)", PAGE.read_text(encoding="utf-8"))


def defined(source: str) -> set[str]:
    """Return the names of functions, classes and variables that a module defines anywhere."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    return names


def has(file: Path, symbol: str) -> bool:
    """Return True if the module defines the name, or the file has the line of code."""
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".py" and symbol.isidentifier():
        return symbol in defined(text)
    return symbol in text


@pytest.mark.parametrize(("symbol", "file"), PLACES)
def test_named_place_exists(symbol: str, file: str) -> None:
    assert has(config.ROOT / file, symbol)


def test_table_names_many_places() -> None:
    assert len(PLACES) > 50


def test_name_that_is_used_and_not_defined_is_not_enough(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text("from elsewhere import act\n\nact()\n")
    assert not has(module, "act")
    assert has(module, "act()")
