"""Each command that a document names exists: targets of make, and commands of flask."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from flask import Flask

import config
from tests.support.documents import blocks, documents

TARGETS = set(
    re.findall(r"^([a-z-]+):", (config.ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
)
# Commands of the how-to pages and the examples, which add them.
ADDED = {"create-todos", "tidy", "train-forecast"}
COMMAND = r"(?:^|[\s/`&(]){} ([a-z][a-z-]*(?: [a-z][a-z-]+)?)(?=[\s`;&),]|$)"


def code(text: str) -> Iterator[str]:
    """Yield the code of a document: spans, fenced blocks without comments, indented lines."""
    fenced = (block.text for block in blocks(text) if block.language not in ("python", "jinja"))
    yield from (re.sub(r"(^|\s)#.*$", "", lines, flags=re.MULTILINE) for lines in fenced)
    outside = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    yield from re.findall(r"`([^`]+)`", outside)
    yield from re.findall(r"^ {4}(\S[^#\n]*)", outside, re.MULTILINE)


def named(program: str, text: str) -> set[str]:
    """Return the one or two words behind the name of a program."""
    pattern = re.compile(COMMAND.format(program), re.MULTILINE)
    return {words for piece in code(text) for words in pattern.findall(piece)}


def is_command(app: Flask, words: str) -> bool:
    """Return True if flask has the command, and the group the command in it."""
    first, _, second = words.partition(" ")
    if first in ADDED | {"run", "shell", "routes"}:
        return True
    command = app.cli.get_command(click.Context(app.cli), first)
    if not isinstance(command, click.Group) or not second:
        return command is not None
    return command.get_command(click.Context(command), second) is not None


@pytest.fixture(params=documents(), ids=lambda path: str(path.relative_to(config.ROOT)))
def text(request: pytest.FixtureRequest) -> str:
    page: Path = request.param
    return page.read_text(encoding="utf-8")


def test_targets_of_make_exist(text: str) -> None:
    assert {words.split()[0] for words in named("make", text)} - TARGETS == set()


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_commands_of_flask_exist(app: Flask, text: str) -> None:
    assert [words for words in named("flask", text) if not is_command(app, words)] == []


def test_commands_of_code_are_found() -> None:
    page = (
        "`make a-b`, make no\n\n    flask db upgrade   # flask c\n\n```\nmake d && flask e\n```\n"
    )
    assert named("make", page) == {"a-b", "d"}
    assert named("flask", page) == {"db upgrade", "e"}
