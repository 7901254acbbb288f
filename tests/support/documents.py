"""The Markdown documents of the repository: files, links, anchors, blocks of code."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import config

FENCE = re.compile(r"^```(\w*).*?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"(?<!`)\]\(([^)\s]+)\)")


class Block(NamedTuple):
    """A fenced block of code: its language ("" without one) and its text."""

    language: str
    text: str


def documents() -> list[Path]:
    """Return all documents, sorted by path."""
    folders = (config.ROOT / "docs", config.ROOT / "examples", config.ROOT / ".github")
    found = [path for folder in folders for path in folder.rglob("*.md")]
    ours = [path for path in found if {".venv", "node_modules"}.isdisjoint(path.parts)]
    return sorted([*config.ROOT.glob("*.md"), config.ROOT / "clients" / "README.md", *ours])


def blocks(text: str) -> list[Block]:
    return [Block(*found) for found in FENCE.findall(text)]


def prose(text: str) -> str:
    """Return the text without its blocks of code."""
    return FENCE.sub("", text)


def links(text: str) -> list[str]:
    """Return the targets of links and images that lead to a file or heading of the repository."""
    return [target for target in LINK.findall(prose(text)) if "://" not in target]


def anchors(text: str) -> set[str]:
    """Return the anchors of the headings, as code hosts and MyST make them."""
    return set(_anchors(prose(text)))


def _anchors(text: str) -> Iterator[str]:
    seen: dict[str, int] = {}
    for heading in re.findall(r"^#{1,6} (.+)$", text, re.MULTILINE):
        slug = re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
        yield f"{slug}-{seen[slug]}" if slug in seen else slug
        seen[slug] = seen.get(slug, 0) + 1


def broken_links(document: Path) -> list[str]:
    """Return the links of a document that lead to no file, or to no heading of one."""
    text = document.read_text(encoding="utf-8")
    return [target for target in links(text) if not _leads_somewhere(document, target)]


def _leads_somewhere(document: Path, target: str) -> bool:
    name, _, anchor = target.partition("#")
    path = document.parent / name if name else document
    if not path.exists():
        return False
    if not anchor or path.suffix != ".md":
        return not anchor
    return anchor in anchors(path.read_text(encoding="utf-8"))
