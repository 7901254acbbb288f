"""The tours in the documents run as written, and each file that the documents name exists."""

import os
import re
import subprocess
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest
from flask import Flask

from tests.support.documents import documents
from tests.support.live import served

ROOT = Path(__file__).parents[2]
DOCUMENTS = documents()


@pytest.fixture
def port(app: Flask) -> Iterator[int]:
    with served(app) as port:
        yield port


def tour(document: str, port: int) -> str:
    """Run the shell blocks of a document in order, and return their output."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / document).read_text(), re.DOTALL)
    assert blocks, document
    ran = subprocess.run(
        ["bash", "-e", "-O", "expand_aliases"],
        input="\n".join(blocks),
        env={**os.environ, "PORT": str(port)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return ran.stdout


def problems(printed: str) -> list[str]:
    return re.findall(r'"type":"/problems/([a-z-]+)"', printed)


def test_the_tour_of_the_readme_runs(port: int) -> None:
    printed = tour("README.md", port)
    assert problems(printed) == ["precondition-failed"]
    assert "Read the tour,,done" in printed


def test_the_tour_of_the_api_runs(port: int) -> None:
    printed = tour("docs/api.md", port)
    assert problems(printed) == ["invalid", "invalid-parameter"]
    assert "HTTP/1.1 304" in printed
    assert "Idempotent-Replayed: true" in printed
    assert '{"created":1,"warnings":[]}' in printed


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_that_documents_name_are_there(document: Path) -> None:
    named = re.findall(
        r"`((?:app|docs|tests|bench|deploy|migrations)/[\w./-]+)`", document.read_text()
    )
    new = ("project", "projects")  # the example of a resource to add
    there = [name for name in named if Path(name).stem not in new]
    assert [name for name in there if not (ROOT / name).exists()] == []


def test_each_test_that_is_named_here_exists() -> None:
    """The table of SECURITY.md names the tests of each requirement."""
    sources = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    there = set(re.findall(r"^def (test_\w+)\(", sources, re.MULTILINE))
    named = re.findall(r"`(test_\w+)`", (ROOT / "SECURITY.md").read_text())
    assert [name for name in named if name not in there] == []
    assert len(named) > 100


def test_what_the_documents_tell_to_make_is_not_committed() -> None:
    """Secrets, local overrides and dumps are files beside the code."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in DOCUMENTS)
    made = {
        *re.findall(r"file: \./([\w.-]+)", text),
        *re.findall(r"> ([\w.-]+\.\w+)$", text, re.MULTILINE),
        *re.findall(r"`([\w.-]+\.override\.\w+)`", text),
        *re.findall(r"cp \S+ ([\w.-]+)", text),
    }
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert made >= {"secret_key", "database.dump", "docker-compose.override.yml", ".env"}
    assert {name for name in made if not any(fnmatch(name, line) for line in ignored)} == set()
