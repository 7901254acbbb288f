"""The snippets of the how-to pages, applied to a copy of the project.

A block whose first line names a file is that file (`# app/models/x.py`), or changes it where the
block is a diff. Parts of a diff are divided by `@@`.
"""

import re
from pathlib import Path

from tests.support.documents import Block, blocks

NAMED = re.compile(r"(?:#|\{#) ([\w./-]+\.\w+)(?: #\})?\n")
COMMAND = re.compile(r"^\$ (.+)\n((?:[^$].*\n)*)", re.MULTILINE)


def apply(page: Path, project: Path) -> list[Path]:
    """Apply the blocks of a page in order, and return the files that were written or changed.

    Raises AssertionError where a new file exists, or a diff does not fit.
    """
    files = []
    for block in blocks(page.read_text(encoding="utf-8")):
        if named := NAMED.match(block.text):
            path = project / named[1]
            _write(path, block, block.text[named.end() :])
            files.append(path)
    return files


def commands(page: Path) -> list[tuple[str, str]]:
    """Return the commands of the console blocks, each with the expected output."""
    found: list[tuple[str, str]] = []
    for block in blocks(page.read_text(encoding="utf-8")):
        if block.language == "console":
            for command, output in re.findall(
                r"^\$ (.+)\n((?:[^$].*\n)*)", block.text, re.MULTILINE
            ):
                found.append((command, output))
    return found


def _write(path: Path, block: Block, text: str) -> None:
    if block.language == "diff":
        changed = path.read_text(encoding="utf-8")
        for part in text.split("@@\n"):
            changed = changed_by(changed, part)
        path.write_text(changed, encoding="utf-8")
    else:
        assert not path.exists(), f"{path} exists"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def changed_by(source: str, part: str) -> str:
    """Return the source changed by lines that begin with " ", "-" and "+". Raises AssertionError
    unless the lines without "+" occur in it, and takes the first place where they do.
    """
    lines = part.splitlines(keepends=True)
    old = "".join(line[1:] for line in lines if line[0] in " -")
    new = "".join(line[1:] for line in lines if line[0] in " +")
    place = f"\n{source}".find(f"\n{old}")
    assert place >= 0, f"these lines are not in the file:\n{old}"
    return source[:place] + new + source[place + len(old) :]
